# Where the contract leaves open which of several outcomes it is: what each of them has in common. Every row that is left is
# as it was, but for references, which point where theirs leads; every row that is missing went for a reason.
#
#   wrong(shape, plan, before, after) -> the first thing that is not so, or undef
#
# before: rows by table as read; after: [ { tag => row } by table ].
package Lenient;
use strict;
use warnings;
use Model;
use Rules;

sub unchanged_columns {
    my ($shape, $plan, $table) = @_;
    my %free = map { $_ => 1 } map { @{ $_->{columns} } } grep { $_->{child} == $table->{i} } @{ $shape->{edges} };
    $free{$_} = 1 for map { $_->{name} } grep { $_->{generated} } @{ $table->{columns} };
    if (!$table->{i}) { $free{$_} = 1 for keys %{ $plan->{merge} } }
    return grep { !$free{$_} } map { $_->{name} } @{ $table->{columns} };
}

sub same { my ($a, $b) = @_; return defined $a ? defined $b && $a eq $b : !defined $b }

sub parent_after {
    my ($edge, $row, $after) = @_;
    my @values = @$row{ @{ $edge->{columns} } };
    return undef if grep { !defined } @values;
    for my $parent (values %{ $after->[ $edge->{parent} ] }) {
        return $parent if !grep { !same($values[$_], $parent->{ $edge->{references}[$_] }) } 0 .. $#values;
    }
    return undef;
}

# A row that is left points at its parent, if that is left; else it was moved, or set to NULL, as the policy says.
sub wrong_reference {
    my ($w, $edge, $old, $new) = @_;
    my $p = $w->{plan}{edges}[ $edge->{i} ];
    my $parent = $old->{refs}{ $edge->{i} };
    my $now = parent_after($edge, $new, $w->{after});
    return undef if !$parent;
    return $now && $now->{tag} == $parent->{values}{tag} ? undef : 'points elsewhere' if !$parent->{lost};
    return $now ? 'is not set to NULL' : undef if $p->{policy} eq 'set-null';
    return "is left below a row that went ($p->{policy})" if $p->{policy} ne 'move';
    return 'is not moved' if !$now;
    return $now->{tag} == $parent->{stay}{values}{tag} ? undef : 'is moved elsewhere' if $parent->{stay} && !$parent->{stay}{lost};
    return undef;
}

sub wrong_row {
    my ($w, $old, $new) = @_;
    my $table = $old->{table};
    for my $column (unchanged_columns($w->{shape}, $w->{plan}, $table)) {
        return "changed in $column" if !same($old->{values}{$column}, $new->{$column});
    }
    for my $edge (@{ $w->{model}{edges_of}[ $table->{i} ] }) {
        my $wrong = wrong_reference($w, $edge, $old, $new);
        return "$wrong (@{ $edge->{columns} })" if $wrong;
    }
    return undef;
}

# What a moved reference's columns become: those of the row that stays for its parent, or, where the parent was dropped, of `there`.
sub moved_values {
    my ($w, $old, $there, @edges) = @_;
    my %values;
    for my $edge (@edges) {
        my $stay = $old->{refs}{ $edge->{i} }{stay};
        my $now = $stay && $w->{after}[ $edge->{parent} ]{ $stay->{values}{tag} };
        my @columns = @{ $edge->{columns} };
        @values{@columns} = $now ? @$now{ @{ $edge->{references} } } : @$there{@columns};
    }
    return \%values;
}

# Dropped by a conflict: moved, it would collide with a row that is there.
sub collides_with_one {
    my ($w, $old, @edges) = @_;
    my $table = $old->{table};
    for my $there (values %{ $w->{after}[ $table->{i} ] }) {
        my $moved = moved_values($w, $old, $there, @edges);
        my %image = map { $_->{name} => exists $moved->{ $_->{name} } ? $moved->{ $_->{name} } : $old->{get}->($_->{name}) } @{ $table->{columns} };
        my ($a, $b) = (Rules::of_hash($table, \%image), Rules::of_hash($table, $there));
        return 1 if grep { Rules::collide($_, $a, $b) } Rules::all_of($table);
    }
    return 0;
}

# Or in an earlier transaction it was in the way of a row that was dropped in its turn, along another reference.
sub collides_with_lost {
    my ($w, $old) = @_;
    my $table = $old->{table};
    my %free = map { $_ => 1 } map { @{ $_->{columns} } } @{ $w->{model}{edges_of}[ $table->{i} ] };
    my $blank = sub { my $get = shift; Rules::reader($table, sub { $free{ $_[0] } ? 0 : $get->( $_[0] ) }) };
    my $mine = $blank->($old->{get});
    for my $other (grep { $_->{lost} && !$_->{loser} && $_ != $old } @{ $w->{model}{rows}[ $table->{i} ] }) {
        my $its = $blank->($other->{get});
        return 1 if grep { Rules::collide($_, $mine, $its) } Rules::all_of($table);
    }
    return 0;
}

sub wrong_loss {
    my ($w, $old) = @_;
    return undef if $old->{loser};
    my @above = grep { my $p = $old->{refs}{ $_->{i} }; $p && $p->{lost} } @{ $w->{model}{edges_of}[ $old->{table}{i} ] };
    return undef if grep { $w->{plan}{edges}[ $_->{i} ]{policy} eq 'delete' } @above;
    my @moved = grep { $w->{plan}{edges}[ $_->{i} ]{policy} eq 'move' } @above;
    return 'is lost without a reason' if !@moved;
    return collides_with_one($w, $old, @moved) || collides_with_lost($w, $old) ? undef : 'is lost without a conflict';
}

sub wrong {
    my ($shape, $plan, $before, $after) = @_;
    my $model = Model::build($shape, $before);
    $model->{plan} = $plan;
    Model::read_keys($model);
    for my $group (Model::groups($model, $plan->{track})) {
        my ($stay, @losers) = @$group;
        @$_{qw(loser stay)} = (1, $stay) for @losers;
    }
    my @rows = map { @$_ } @{ $model->{rows} };
    $_->{lost} = !$after->[ $_->{table}{i} ]{ $_->{values}{tag} } for @rows;
    my $w = { shape => $shape, plan => $plan, model => $model, after => $after };
    for my $row (@rows) {
        my $new = $after->[ $row->{table}{i} ]{ $row->{values}{tag} };
        my $wrong = $new ? wrong_row($w, $row, $new) : wrong_loss($w, $row);
        $wrong = 'is left' if $new && $row->{loser};
        return "row $row->{values}{tag} of $row->{table}{name} $wrong" if $wrong;
    }
    return undef;
}

1;
