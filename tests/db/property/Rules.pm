# When two rows collide, from the words of SQL: equal in all items, NULL equal to nothing unless the rule says so, only
# rows that meet the condition; or, for the one rule that is no equality, ranges that overlap.
package Rules;
use strict;
use warnings;

# A row as a rule sees it: sub (column) -> value. Generated columns are computed here, whatever the row says.
sub reader {
    my ($table, $value) = @_;
    my %generated = map { $_->{name} => $_->{generated}{of} } grep { $_->{generated} } @{ $table->{columns} };
    return sub { my $column = shift; return $generated{$column} ? $generated{$column}->($value) : $value->($column) };
}

sub of_hash { my ($table, $row) = @_; return reader($table, sub { $row->{ $_[0] } }) }

# What must differ between rows; undef: this row is in nobody's way.
sub image {
    my ($rule, $get) = @_;
    return undef if $rule->{holds} && !$rule->{holds}->($get);
    my @values = map { $_->{of}->($get) } @{ $rule->{items} };
    return undef if !$rule->{nulls_equal} && grep { !defined } @values;
    return join "\x00", map { defined $_ ? "=$_" : 'null' } @values;
}

sub collide {
    my ($rule, $one, $other) = @_;
    return $rule->{overlap}->($one, $other) if $rule->{overlap};
    my ($a, $b) = (image($rule, $one), image($rule, $other));
    return defined $a && defined $b && $a eq $b;
}

# Who is there, to be asked for the first that collides: add (row), find (row). Rows have { get }.
sub index_of {
    my @rules = @_;
    my @seen = map { $_->{overlap} ? [] : {} } @rules;
    return {
        add => sub {
            my $row = shift;
            for my $i (0 .. $#rules) {
                if ($rules[$i]{overlap}) { push @{ $seen[$i] }, $row; next }
                my $image = image($rules[$i], $row->{get});
                $seen[$i]{$image} //= $row if defined $image;
            }
        },
        find => sub {
            my $row = shift;
            my %found;
            for my $i (0 .. $#rules) {
                if ($rules[$i]{overlap}) {
                    $rules[$i]{overlap}->($row->{get}, $_->{get}) and $found{$_} = $_ for @{ $seen[$i] };
                    next;
                }
                my $image = image($rules[$i], $row->{get});
                my $there = defined $image ? $seen[$i]{$image} : undef;
                $found{$there} = $there if $there;
            }
            return values %found;
        },
    };
}

sub all_of { my $table = shift; return (@{ $table->{keys} }, @{ $table->{rules} }) }

# ORDER BY the key: numbers as numbers, all else by its bytes (the server's collation is C or C.UTF-8).
sub compare {
    my ($type, $a, $b) = @_;
    return $type =~ /int/ ? $a <=> $b : $a cmp $b;
}

1;
