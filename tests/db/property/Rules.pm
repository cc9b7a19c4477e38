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

sub all_of { my $table = shift; return (@{ $table->{keys} }, @{ $table->{rules} }) }

# ORDER BY the key: numbers as numbers, all else by its bytes (the server's collation is C or C.UTF-8).
sub compare {
    my ($type, $a, $b) = @_;
    return $type =~ /int/ ? $a <=> $b : $a cmp $b;
}

1;
