# A random plan for a random schema: what is tracked, what becomes of each reference that is reached, what is merged.
#
#   { kind => remove | move | together, track => {...}, edges => [ { policy, conflict, written } by edge number ],
#     merge => { column => rule }, batch => {...} }
#
# Reached are the references to the plan's table (number 0), to tables whose rows a policy deletes, and to tables of which a
# move may drop rows. Below rows that are deleted without a row that stays in their place nothing can be moved.
package Policies;
use strict;
use warnings;
use Server;
use Shape qw(one_of chance upto shuffled identifier);

sub quote { return Server::identifier($_[0]) }
sub yaml  { my $text = shift; $text =~ s/'/''/g; return "'$text'" }

# --- which rows

sub keep {
    my $table = shift;
    my ($n, $s) = @$table{qw(n s)};
    my $column = one_of($n, $n, $s);
    return one_of(
        { sql => '', by => [] },
        { sql => 'keep: { first: ' . yaml(quote($column)) . ' }', by => [ [ $column, 1 ] ] },
        { sql => 'keep: { last: ' . yaml(quote($column)) . ' }', by => [ [ $column, -1 ] ] },
        { sql => 'keep: { order_by: ' . yaml(quote($n) . ' DESC NULLS LAST, ' . quote($s) . ' NULLS LAST') . ' }',
          by  => [ [ $n, -1 ], [ $s, 1 ] ] });
}

sub duplicates {
    my $table = shift;
    my ($g, $n, $s, $f) = @$table{qw(g n s f)};
    my $group = one_of(
        { list => [ quote($g) ], of => sub { ($_[0]->($g)) } },
        { list => [ quote($g) ], of => sub { ($_[0]->($g)) } },
        { list => [ quote($g), quote($f) ], of => sub { ($_[0]->($g), $_[0]->($f)) } },
        { list => [ 'lower(' . quote($s) . ')' ], of => sub { my $v = $_[0]->($s); defined $v ? lc $v : undef } });
    my $where = chance(0.25) ? { sql => quote($n) . ' >= 1', holds => sub { my $v = $_[0]->($n); defined $v && $v >= 1 } } : undef;
    my $equal = chance(0.15);
    my $keep = keep($table);
    my $yaml = 'duplicates: [' . join(', ', map { yaml($_) } @{ $group->{list} }) . ']';
    $yaml .= ', where: ' . yaml($where->{sql}) if $where;
    $yaml .= ', nulls: equal' if $equal;
    $yaml .= ", $keep->{sql}" if $keep->{sql};
    return { source => 'duplicates', of => $group->{of}, holds => $where && $where->{holds}, nulls_equal => $equal,
             by => $keep->{by}, yaml => $yaml };
}

sub condition {
    my $table = shift;
    my ($g, $n) = @$table{qw(g n)};
    my $x = upto(4);
    return one_of(
        { sql => quote($n) . " = $x", holds => sub { my $v = $_[0]->($n); defined $v && $v == $x } },
        { sql => quote($n) . " IS NULL", holds => sub { !defined $_[0]->($n) } },
        { sql => 'length(' . quote($table->{s}) . ') > 1',
          holds => sub { my $v = $_[0]->($table->{s}); return 0 if !defined $v; utf8::decode($v); length $v > 1 } });
}

# Pairs of rows and what stays for them: chains (a stays for b, c for a), never circles.
sub pairs {
    my ($table, $rows, $circle) = @_;
    my @rows = shuffled(@$rows);
    my @pairs = map { [ $rows[$_], $rows[ upto($_) ] ] } grep { chance(0.5) } 1 .. $#rows;
    push @pairs, [ $pairs[0][1], $pairs[0][0] ] if $circle && @pairs;
    return [ shuffled(@pairs) ];
}

sub query {
    my ($shape, $survivors, $rows) = @_;
    my $table = $shape->{tables}[0];
    my @key = @{ $table->{key} };
    if (!$survivors) {
        my $condition = condition($table);
        my $sql = 'SELECT ' . join(', ', map { quote($_) } @key) . " FROM $table->{sql} WHERE $condition->{sql}";
        return { source => 'where', holds => $condition->{holds}, yaml => 'query: ' . yaml($sql), versions => 1 };
    }
    my $circle = chance(0.05);
    my $from = Server::identifier($shape->{schema}) . '.pgw_pairs';
    my $sql = 'SELECT ' . join(', ', map { (quote("k$_") . ' AS ' . quote($key[ $_ - 1 ]), quote("s$_") . ' AS ' . quote("survivor_$key[$_ - 1]")) } 1 .. @key)
        . " FROM $from";
    return { source => 'pairs', pairs => pairs($table, $rows->[0], $circle), yaml => 'query: ' . yaml($sql), circle => $circle, versions => 1 };
}

sub track {
    my ($shape, $rows, $kind) = @_;
    my $table = $shape->{tables}[0];
    if ($kind eq 'remove' && chance(0.5)) {
        return query($shape, 0) if chance(0.4);
        my $condition = condition($table);
        return { source => 'where', holds => $condition->{holds}, yaml => 'where: ' . yaml($condition->{sql}) };
    }
    return query($shape, 1, $rows) if $kind ne 'remove' && chance(0.3);
    return duplicates($table);
}

# --- which policy

sub nullable {
    my ($shape, $edge) = @_;
    my $table = $shape->{tables}[ $edge->{child} ];
    return grep { !Shape::column_of($table, $_)->{notnull} } @{ $edge->{columns} };
}

sub weighted {
    my %weights = @_;
    my ($sum, $at) = (0, 0);
    $sum += $_ for values %weights;
    my $x = rand $sum;
    for (sort keys %weights) { return $_ if ($at += $weights{$_}) > $x }
}

sub wish {
    my ($shape, $edge, $kind) = @_;
    my $null = nullable($shape, $edge) ? 20 : 0;
    my $policy = $kind eq 'remove' ? weighted(delete => 70, 'set-null' => $null, stop => 4)
                                   : weighted(move => 75, delete => 12, 'set-null' => $null / 2, stop => 2);
    return { policy => $policy, conflict => weighted(delete => 46, 'keep-first' => 46, stop => 8), written => 1 };
}

# Which tables' rows go without a row in their place, which may be dropped in favour of another.
sub reach {
    my ($shape, $plan) = @_;
    my (%gone, %dropped, %reached, $more);
    do {
        $more = 0;
        for my $edge (@{ $shape->{edges} }) {
            my ($parent, $child, $p) = ($edge->{parent}, $edge->{child}, $plan->{edges}[ $edge->{i} ]);
            next if $parent && !$gone{$parent} && !$dropped{$parent};
            $more += !$reached{ $edge->{i} }++;
            $more += !$gone{$child}++ if $p->{policy} eq 'delete';
            $more += !$dropped{$child}++ if $p->{policy} eq 'move' && $p->{conflict} ne 'stop';
        }
    } while $more;
    return (\%gone, \%dropped, \%reached);
}

sub survives { my $track = shift; return $track->{source} eq 'duplicates' || $track->{source} eq 'pairs' }

sub without_move {
    my ($shape, $edge) = @_;
    return nullable($shape, $edge) && chance(0.5) ? 'set-null' : chance(0.85) ? 'delete' : 'stop';
}

# No row that stays may be deleted from above; nothing moves below rows without one that stays.
sub repair {
    my ($shape, $plan) = @_;
    my $again = 1;
    while ($again) {
        $again = 0;
        my ($gone, $dropped, $reached) = reach($shape, $plan);
        for my $edge (grep { $reached->{ $_->{i} } } @{ $shape->{edges} }) {
            my $p = $plan->{edges}[ $edge->{i} ];
            my $change = $p->{policy} eq 'move' && $gone->{ $edge->{parent} } ? without_move($shape, $edge)
                       : $p->{policy} eq 'delete' && !$edge->{child} && survives($plan->{track})
                       ? (nullable($shape, $edge) ? 'set-null' : 'stop') : undef;
            next if !$change;
            $p->{policy} = $change;
            $again = 1;
            last;
        }
    }
    my (undef, undef, $reached) = reach($shape, $plan);
    $plan->{edges}[ $_->{i} ]{reached} = $reached->{ $_->{i} } ? 1 : 0 for @{ $shape->{edges} };
}

# All references of a table that are moved have one answer to conflicts.
sub settle_conflicts {
    my ($shape, $plan) = @_;
    my %answer;
    for my $edge (@{ $shape->{edges} }) {
        my $p = $plan->{edges}[ $edge->{i} ];
        $p->{conflict} = $answer{ $edge->{child} } //= $p->{conflict};
    }
}

# Some below dropped rows inherit theirs, unwritten.
sub inherit {
    my ($shape, $plan) = @_;
    for my $edge (@{ $shape->{edges} }) {
        my $p = $plan->{edges}[ $edge->{i} ];
        my @above = grep { $_->{child} == $edge->{parent} && $plan->{edges}[ $_->{i} ]{reached} } @{ $shape->{edges} };
        next if !$edge->{parent} || $p->{policy} ne 'move' || @above != 1 || $above[0]{parent} || $above[0]{child} == $above[0]{parent};
        my $inherited = $plan->{edges}[ $above[0]{i} ]{conflict};
        $p->{written} = 0 if $inherited eq $p->{conflict} && $plan->{edges}[ $above[0]{i} ]{policy} eq 'move' && chance(0.5);
    }
}

# --- merge

# A unique column too, where nothing points at it: its value passes from a row that goes to the one that stays.
sub merge {
    my ($table, $edges) = @_;
    my %rules;
    my %key = map { $_ => 1 } @{ $table->{key} };
    for my $name (@$table{qw(n s)}) {
        next if $key{$name} || !chance(0.7);
        $rules{$name} = Shape::type_of($table, $name) =~ /int/ ? one_of(qw(first last min max sum)) : one_of(qw(first last min max concat));
    }
    $rules{ $table->{f} } = one_of(qw(first last)) if chance(0.4);
    $rules{ $table->{list} } = one_of(qw(union union first)) if chance(0.6);
    $rules{ $table->{other} } = one_of(qw(last min max)) if $table->{other} && chance(0.6) && !grep { $_->{references}[0] eq $table->{other} } @$edges;
    return \%rules;
}

# --- mistakes, which are refused before anything is changed

sub mistake {
    my ($shape, $plan) = @_;
    my @reached = grep { my $p = $plan->{edges}[ $_->{i} ]; $p->{reached} && $p->{written} && !$_->{parent} } @{ $shape->{edges} };
    my $edge = one_of(@reached) or return undef;
    my $p = $plan->{edges}[ $edge->{i} ];
    my $what = one_of('no policy', 'no such reference', 'move without survivors', 'merge of a column that is not there');
    if ($what eq 'no policy') {
        $p->{left_out} = 1;
    } elsif ($what eq 'no such reference') {
        $plan->{extra} = identifier($shape->{tables}[ $edge->{child} ]{name}) . '.tag: delete';
    } elsif ($what eq 'move without survivors') {
        return undef if survives($plan->{track});
        @$p{qw(policy conflict)} = ('move', 'delete');
    } else {
        return undef if $plan->{kind} ne 'together';
        $plan->{merge}{nobody} = 'first';
    }
    return $what;
}

# --- the plan

sub batch {
    my $kind = shift;
    return 'size: 1000, min: 1, max: 5000, pause: 0ms' if chance($kind eq 'together' ? 0.7 : 0.5);
    my $max = ($kind eq 'together' ? 30 : 2) + upto(12);
    my $size = 1 + upto($max);
    return "size: $size, min: 1, max: $max, pause: 0ms";
}

sub make {
    my ($shape, $rows, @kinds) = @_;
    my $plan = { kind => one_of(@kinds), merge => {} };
    $plan->{track} = track($shape, $rows, $plan->{kind});
    $plan->{edges} = [ map { wish($shape, $_, $plan->{kind}) } @{ $shape->{edges} } ];
    settle_conflicts($shape, $plan);
    repair($shape, $plan);
    inherit($shape, $plan);
    $plan->{merge} = merge($shape->{tables}[0], [ grep { !$_->{parent} } @{ $shape->{edges} } ]) if $plan->{kind} eq 'together';
    $plan->{batch} = batch($plan->{kind});
    $plan->{large} = $plan->{batch} =~ /size: 1000/;
    $plan->{mistake} = mistake($shape, $plan) if chance(0.05);
    return $plan;
}

sub edge_key {
    my ($shape, $edge) = @_;
    my $child = $shape->{tables}[ $edge->{child} ];
    my $name = ($shape->{schema} eq 'public' ? '' : identifier($shape->{schema}) . '.') . identifier($child->{name});
    my @columns = map { identifier($_) } @{ $edge->{columns} };
    return @columns == 1 ? "$name.$columns[0]" : "$name(" . join(', ', @columns) . ')';
}

sub children {
    my ($shape, $plan) = @_;
    return $plan->{extra} // (), map {
        my $p = $plan->{edges}[ $_->{i} ];
        my $policy = $p->{policy} eq 'move' ? "{ move: { on_conflict: $p->{conflict} } }" : $p->{policy};
        yaml(edge_key($shape, $_)) . ": $policy";
    } grep { my $p = $plan->{edges}[ $_->{i} ]; $p->{reached} && $p->{written} && !$p->{left_out} } @{ $shape->{edges} };
}

sub steps {
    my $plan = shift;
    return "  - delete-children\n  - delete\n" if $plan->{kind} ne 'together';
    my $columns = join ', ', map { yaml(quote($_)) . ": $plan->{merge}{$_}" } sort keys %{ $plan->{merge} };
    return "  - together:\n      - merge: { columns: { $columns } }\n      - delete-children\n      - delete\n" if $columns;
    return "  - together: [delete-children, delete]\n";
}

sub text {
    my ($shape, $plan, $name) = @_;
    my @children = children($shape, $plan);
    my $text = "plan: $name\ntable: " . yaml($shape->{tables}[0]{sql}) . "\nbatch: { $plan->{batch} }\nsteps:\n  - discover:\n      missing_index: ignore\n";
    $text .= "      children:\n" . join('', map { "        $_\n" } @children) if @children;
    return $text . "  - track: { $plan->{track}{yaml} }\n" . steps($plan);
}

# Tables that the plan's SQL needs: after the data.
sub sql {
    my ($shape, $plan) = @_;
    return '' if $plan->{track}{source} ne 'pairs';
    my $table = $shape->{tables}[0];
    my @key = @{ $table->{key} };
    my $from = Server::identifier($shape->{schema}) . '.pgw_pairs';
    my $columns = join ', ', map { my $type = Shape::type_of($table, $key[ $_ - 1 ]); ("k$_ $type", "s$_ $type") } 1 .. @key;
    return "CREATE TABLE $from ($columns);\nCOPY $from FROM STDIN;\n"
        . join('', map { my ($k, $s) = @$_; join("\t", map { (Server::to_copy($k->{$_}), Server::to_copy($s->{$_})) } @key) . "\n" } @{ $plan->{track}{pairs} })
        . "\\.\n";
}

1;
