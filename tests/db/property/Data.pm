# Random rows for a random schema: few distinct values, so that many collide once they are moved.
package Data;
use strict;
use warnings;
use Rules;
use Shape qw(one_of chance upto shuffled);

my @words = ('a', 'A', 'b', 'B', '', "it's", "\xc3\xa9t\xc3\xa9", 'a b', '\\x', 'NULL');

sub value {
    my $type = shift;
    return '{' . join(',', map { upto(5) } 1 .. upto(4)) . '}' if $type eq 'int[]';
    return upto(9) - 1 if $type =~ /int/;
    return one_of('t', 'f') if $type eq 'boolean';
    return sprintf '00000000-0000-4000-8000-%012x', upto(40) if $type eq 'uuid';
    return one_of(@words);
}

# For keys: many more.
sub key_value {
    my ($type, $room) = @_;
    return upto($room * 3) - $room if $type =~ /int/;
    return sprintf '%08x-0000-4000-8000-00000000000%x', upto(1 << 30), upto(16) if $type eq 'uuid';
    return one_of(@words) . upto($room * 2);
}

sub fits {
    my ($table, $row, $others) = @_;
    my $get = Rules::of_hash($table, $row);
    for my $rule (Rules::all_of($table)) {
        my $image = $rule->{overlap} ? undef : Rules::image($rule, $get);
        next if !$rule->{overlap} && !defined $image;
        for my $other (@$others) {
            next if $other == $row;
            my $there = Rules::of_hash($table, $other);
            return 0 if $rule->{overlap} ? $rule->{overlap}->($get, $there) : (Rules::image($rule, $there) // '') eq $image;
        }
    }
    return 1;
}

# Half of the references go to a few parents.
sub parent_of {
    my ($edge, $parents) = @_;
    return undef if !@$parents || (!$edge->{notnull} && chance(0.15));
    return $parents->[ chance(0.5) ? upto(@$parents < 4 ? scalar @$parents : 4) : upto(scalar @$parents) ];
}

sub point {
    my ($row, $edge, $parent) = @_;
    my @columns = @{ $edge->{columns} };
    @$row{@columns} = $parent ? @$parent{ @{ $edge->{references} } } : ();
    $row->{ one_of(@columns) } = undef if $parent && @columns > 1 && !$edge->{notnull} && chance(0.1);
}

sub make_row {
    my ($shape, $table, $rows, $room) = @_;
    my %row;
    my %of_key = map { $_ => 1 } @{ $table->{key} };
    for my $column (grep { !$_->{generated} } @{ $table->{columns} }) {
        my ($name, $type) = @$column{qw(name type)};
        my $unique = $of_key{$name} || ($table->{other} && $table->{other} eq $name);
        $row{$name} = $unique && !(@{ $table->{key} } > 1 && chance(0.7)) ? key_value($type, $room) : value($type);
        $row{$name} = undef if !$column->{notnull} && chance(0.15);
    }
    $row{ $table->{partition} } = upto(4) if $table->{partition};
    for my $edge (grep { $_->{child} == $table->{i} } @{ $shape->{edges} }) {
        my $parent = $edge->{parent} < $table->{i} ? parent_of($edge, $rows->[ $edge->{parent} ]) : undef;
        return if !$parent && $edge->{notnull};
        point(\%row, $edge, $parent);
    }
    return \%row;
}

sub fill {
    my ($shape, $table, $rows, $tag) = @_;
    my $wanted = 5 + upto($table->{i} ? 40 : 25);
    my $mine = $rows->[ $table->{i} ] = [];
    for (1 .. $wanted) {
        for (1 .. 4) {
            my $row = make_row($shape, $table, $rows, $wanted);
            next if !$row || !fits($table, $row, $mine);
            push @$mine, $row;
            last;
        }
    }
    $_->{tag} = $$tag++ for @$mine;
}

# References to tables that were filled later, and to the own one.
sub close_circles {
    my ($shape, $rows) = @_;
    for my $edge (grep { $_->{parent} >= $_->{child} } @{ $shape->{edges} }) {
        my ($table, $mine) = ($shape->{tables}[ $edge->{child} ], $rows->[ $edge->{child} ]);
        for my $row (@$mine) {
            next if !chance(0.7) || !@{ $rows->[ $edge->{parent} ] };
            my @before = @$row{ @{ $edge->{columns} } };
            point($row, $edge, one_of(@{ $rows->[ $edge->{parent} ] }));
            @$row{ @{ $edge->{columns} } } = @before if !fits($table, $row, $mine);
        }
    }
}

sub make {
    my $shape = shift;
    my ($rows, $tag) = ([], 1);
    fill($shape, $_, $rows, \$tag) for @{ $shape->{tables} };
    close_circles($shape, $rows);
    $_ = [ shuffled(@$_) ] for @$rows;
    return $rows;
}

1;
