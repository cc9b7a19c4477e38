# What must be there afterwards, from the words of the contract, row by row, over rows that hold each other: a reference is a
# pointer to a row, so a moved row brings along what points at its key. Knows nothing of how pgwinnow goes about it.
#
#   run(shape, plan, rows, cut) -> { refused => why, left => [ { tag => row } by table ], doubts => { name => count } }
#
# rows are those that the database holds, with pgw_place, their order in it. cut: sub (groups) -> lists of groups, each list a
# transaction. Where the contract leaves open what happens a doubt is noted, and the caller asks for less.
package Model;
use strict;
use warnings;
use Rules;

# --- rows

sub build {
    my ($shape, $rows) = @_;
    my $self = { shape => $shape, rows => [], doubts => {} };
    for my $table (@{ $shape->{tables} }) {
        push @{ $self->{rows} }, [ map { { table => $table, values => {%$_}, refs => {}, moves => 0 } } @{ $rows->[ $table->{i} ] } ];
    }
    $self->{edges_of} = [ map { my $i = $_; [ grep { $_->{child} == $i } @{ $shape->{edges} } ] } 0 .. $#{ $shape->{tables} } ];
    point($self, $_) for @{ $shape->{edges} };
    for my $row (map { @$_ } @{ $self->{rows} }) {
        $row->{get} = Rules::reader($row->{table}, sub { value($row, $_[0]) });
        for my $edge (@{ $self->{edges_of}[ $row->{table}{i} ] }) {
            my @columns = @{ $edge->{columns} };
            $row->{by_column}{ $columns[$_] } = [ $edge->{i}, $edge->{references}[$_] ] for 0 .. $#columns;
        }
    }
    return $self;
}

sub point {
    my ($self, $edge) = @_;
    my %parents;
    for my $parent (@{ $self->{rows}[ $edge->{parent} ] }) {
        $parents{ join "\x00", @{ $parent->{values} }{ @{ $edge->{references} } } } = $parent;
    }
    for my $row (@{ $self->{rows}[ $edge->{child} ] }) {
        my @values = @{ $row->{values} }{ @{ $edge->{columns} } };
        next if grep { !defined } @values;
        $row->{refs}{ $edge->{i} } = $parents{ join "\x00", @values } or die "a reference to nothing\n";
    }
}

sub value {
    my ($row, $column) = @_;
    my $by = $row->{by_column}{$column};
    my $parent = $by && $row->{refs}{ $by->[0] };
    return $parent ? $parent->{get}->($by->[1]) : $row->{values}{$column};
}

sub doubt { my ($self, $what) = @_; $self->{doubts}{$what}++ }

sub refuse { my ($self, $why) = @_; die { refused => $why } }

# By the keys as the transaction finds them.
sub by_key {
    my ($a, $b) = @_;
    my $table = $a->{table};
    my @key = @{ $table->{key} };
    for my $i (0 .. $#key) {
        my $order = Rules::compare(Shape::type_of($table, $key[$i]), $a->{key}[$i], $b->{key}[$i]);
        return $order if $order;
    }
    return $a->{values}{pgw_place} <=> $b->{values}{pgw_place};
}

sub read_keys {
    my $self = shift;
    for my $row (map { @$_ } @{ $self->{rows} }) {
        $row->{key} = [ map { $row->{get}->($_) } @{ $row->{table}{key} } ];
    }
}

# --- who goes, and who stays for them

sub kept_before {
    my ($track, $a, $b) = @_;
    for (@{ $track->{by} }) {
        my ($column, $sign) = @$_;
        my ($x, $y) = ($a->{values}{$column}, $b->{values}{$column});
        return defined $x ? -1 : 1 if defined $x != defined $y;
        next if !defined $x;
        my $order = $sign * Rules::compare(Shape::type_of($a->{table}, $column), $x, $y);
        return $order if $order;
    }
    return by_key($a, $b);
}

sub groups_of_duplicates {
    my ($self, $track) = @_;
    my %groups;
    for my $row (@{ $self->{rows}[0] }) {
        my @values = $track->{of}->($row->{get});
        next if !$track->{nulls_equal} && grep { !defined } @values;
        next if $track->{holds} && !$track->{holds}->($row->{get});
        push @{ $groups{ join "\x00", map { defined $_ ? "=$_" : 'null' } @values } }, $row;
    }
    return map { [ sort { kept_before($track, $a, $b) } @$_ ] } grep { @$_ > 1 } values %groups;
}

# Chains are followed to their end. Behind the survivor rows come by their key.
sub groups_of_pairs {
    my ($self, $track) = @_;
    refuse($self, 'circle') if $track->{circle} && @{ $track->{pairs} };
    my %rows = map { $_->{values}{tag} => $_ } @{ $self->{rows}[0] };
    my %next = map { $_->[0]{tag} => $_->[1]{tag} } @{ $track->{pairs} };
    my %groups;
    for my $tag (keys %next) {
        my $end = $tag;
        $end = $next{$end} while exists $next{$end};
        push @{ $groups{$end} }, $rows{$tag};
    }
    return map { [ $rows{$_}, sort { by_key($a, $b) } @{ $groups{$_} } ] } keys %groups;
}

# Lists of rows, the one that stays first (or undef where nothing stays), in the order of removal.
sub groups {
    my ($self, $track) = @_;
    my @groups = $track->{source} eq 'where' ? map { [ undef, $_ ] } grep { $track->{holds}->($_->{get}) } @{ $self->{rows}[0] }
               : $track->{source} eq 'pairs' ? groups_of_pairs($self, $track)
               :                               groups_of_duplicates($self, $track);
    my %first;
    for my $group (@groups) {
        my ($least) = sort { $a <=> $b } map { $_->{values}{pgw_place} } grep { $_ } @$group[ 1 .. $#$group ];
        $first{$group} = $least;
    }
    return sort { $first{$a} <=> $first{$b} } @groups;
}

# --- the families of a transaction

sub pointing {
    my ($self, $edge, $gone) = @_;
    return grep { my $p = $_->{refs}{ $edge->{i} }; !$_->{gone} && $p && $gone->{$p} } @{ $self->{rows}[ $edge->{child} ] };
}

sub policy { my ($self, $edge) = @_; return $self->{plan}{edges}[ $edge->{i} ] }

sub edges_with {
    my ($self, $policy) = @_;
    return grep { $self->{plan}{edges}[ $_->{i} ]{reached} && policy($self, $_)->{policy} eq $policy } @{ $self->{shape}{edges} };
}

# What goes with these by policy delete, downwards.
sub close_deletes {
    my ($self, $batch, @new) = @_;
    while (@new) {
        my %gone = map { $_ => 1 } @new;
        @new = ();
        for my $edge (edges_with($self, 'delete')) {
            for my $row (pointing($self, $edge, \%gone)) {
                $row->{gone} = 1;
                doubt($self, 'a row that stays for another goes') if $row->{stays_for};
                push @new, $row;
            }
        }
        push @$batch, @new;
    }
}

# Rows to move: [row, [edges], best rank of the parents].
sub to_move {
    my ($self, $parents) = @_;
    my %gone = map { $_ => 1 } @$parents;
    my %moving;
    for my $edge (edges_with($self, 'move')) {
        for my $row (pointing($self, $edge, \%gone)) {
            my $parent = $row->{refs}{ $edge->{i} };
            next if !$parent->{stay};
            my $m = $moving{$row} //= { row => $row, edges => [], rank => $parent->{rank} };
            push @{ $m->{edges} }, $edge;
            $m->{rank} = $parent->{rank} if $parent->{rank} < $m->{rank};
        }
    }
    my @moving = values %moving;
    $_->{row}{twice} = 1 for grep { @{ $_->{edges} } > 1 || $_->{row}{moves} } @moving;
    return @moving;
}

sub final { my $row = shift; $row = $row->{stay} while $row->{gone} && $row->{stay}; return $row }

sub preferred {
    my ($conflict, $one, $other) = @_;
    my $order = $conflict eq 'keep-first' ? $one->{rank} <=> $other->{rank} : 0;
    return $order || by_key($one->{row}, $other->{row});
}

# Its own references stay, but a row that it points at has another key now.
sub carried {
    my $row = shift;
    return !$row->{moves} && grep { $_ && $_->{moves} } values %{ $row->{refs} };
}

sub images { my $row = shift; return map { Rules::image($_, $row->{get}) } grep { !$_->{overlap} } Rules::all_of($row->{table}) }

# It was there already, as far as the rule goes by which it is in the way now: what moves it is another reference.
sub holds_place {
    my ($m, @in_the_way) = @_;
    my @now = images($m->{row});
    my @theirs = map { [ images($_) ] } @in_the_way;
    return grep {
        my $i = $_;
        defined $now[$i] && ($m->{before}[$i] // '') eq $now[$i] && grep { ($_->[$i] // '') eq $now[$i] } @theirs;
    } 0 .. $#now;
}

# Best first: who collides with nobody that stays, stays. Rows that are not moved stay whatever comes.
sub resolve {
    my ($self, $table, @moving) = @_;
    my $conflict = policy($self, $moving[0]{edges}[0])->{conflict};
    my %moving = map { $_->{row} => 1 } @moving;
    my $stay = Rules::index_of(Rules::all_of($table));
    $stay->{add}->($_) for grep { !$_->{gone} && !$moving{$_} } @{ $self->{rows}[ $table->{i} ] };
    my @dropped;
    for my $m (sort { preferred($conflict, $a, $b) } @moving) {
        my @in_the_way = $stay->{find}->($m->{row});
        if (!@in_the_way) {
            $stay->{add}->($m->{row});
            next;
        }
        refuse($self, 'conflict') if $conflict eq 'stop';
        doubt($self, 'moved along two references') if grep { $_->{twice} } $m->{row}, @in_the_way;
        doubt($self, 'a row in the way is changed by what it points at') if grep { carried($_) } @in_the_way;
        doubt($self, 'a row that holds its place by a rule') if holds_place($m, @in_the_way);
        doubt($self, 'two rows to stay for one') if @in_the_way > 1;
        doubt($self, 'rows without a key changed places') if !@{ $table->{key} } && $self->{transactions} > 1;
        doubt($self, 'a row of the plan\'s table is dropped') if !$table->{i};
        push @dropped, { %$m, stay => $in_the_way[0] };
    }
    return @dropped;
}

sub move_wave {
    my ($self, @parents) = @_;
    my @moving = to_move($self, \@parents);
    $_->{before} = [ images($_->{row}) ] for @moving;
    for my $m (@moving) {
        $m->{row}{refs}{ $_->{i} } = final($m->{row}{refs}{ $_->{i} }) for @{ $m->{edges} };
        $m->{row}{moves}++;
    }
    my @dropped;
    for my $table (@{ $self->{shape}{tables} }) {
        my @here = grep { $_->{row}{table} == $table } @moving;
        push @dropped, resolve($self, $table, @here) if @here;
    }
    for my $d (@dropped) {
        @{ $d->{row} }{qw(gone stay rank)} = (1, $d->{stay}, $d->{rank});
        $d->{stay}{stays_for} = 1;
    }
    return map { $_->{row} } @dropped;
}

sub set_null {
    my ($self, $gone) = @_;
    for my $edge (edges_with($self, 'set-null')) {
        my @nullable = Policies::nullable($self->{shape}, $edge);
        for my $row (pointing($self, $edge, $gone)) {
            $row->{values}{$_} = value($row, $_) for @{ $edge->{columns} };
            delete $row->{refs}{ $edge->{i} };
            $row->{values}{$_} = undef for @nullable;
        }
    }
}

# Rows that go and point at each other in a circle: in one transaction or not at all.
sub has_circle {
    my ($self, @rows) = @_;
    my %parents = map { my $row = $_; $row => [ grep { $_ && $_ != $row } map { $row->{refs}{ $_->{i} } } edges_with($self, 'delete') ] } @rows;
    my %here = map { $_ => 1 } @rows;
    my $more = 1;
    while ($more) {
        $more = 0;
        for my $row (grep { $here{$_} } @rows) {
            next if grep { $here{$_} } @{ $parents{$row} };
            delete $here{$row};
            $more = 1;
        }
    }
    return %here ? 1 : 0;
}

sub check_stops {
    my ($self, $gone) = @_;
    for my $edge (edges_with($self, 'stop')) {
        my @going = grep { my $p = $_->{refs}{ $edge->{i} }; $_->{gone} && $p && $p != $_ && $gone->{$p} } @{ $self->{rows}[ $edge->{child} ] };
        doubt($self, 'a row that goes itself points by a stop') if @going;
    }
    doubt($self, 'circle') if !$self->{plan}{large} && has_circle($self, grep { $_->{gone} } map { @$_ } @{ $self->{rows} });
    refuse($self, 'stop') if grep { pointing($self, $_, $gone) } edges_with($self, 'stop');
    refuse($self, 'nothing to move to') if grep { pointing($self, $_, $gone) } edges_with($self, 'move');
}

sub transaction {
    my ($self, @groups) = @_;
    my @batch;
    read_keys($self);
    $self->{transactions}++;
    for my $group (@groups) {
        my ($stay, @losers) = @$group;
        for my $n (0 .. $#losers) {
            next if $losers[$n]{gone};
            @{ $losers[$n] }{qw(gone stay rank)} = (1, $stay, $n + 2);
            push @batch, $losers[$n];
        }
    }
    my @wave = @batch;
    close_deletes($self, \@batch, @batch);
    while (@wave = move_wave($self, @wave)) {
        push @batch, @wave;
        close_deletes($self, \@batch, @wave);
    }
    my %gone = map { $_ => 1 } @batch;
    check_stops($self, \%gone);
    set_null($self, \%gone);
    write_merged($self, $_) for @groups;
}

# --- merge

my %merges = (
    first  => sub { $_[1] },
    last   => sub { $_[-1] },
    min    => sub { my ($type, @v) = @_; (sort { Rules::compare($type, $a, $b) } @v)[0] },
    max    => sub { my ($type, @v) = @_; (sort { Rules::compare($type, $a, $b) } @v)[-1] },
    sum    => sub { my ($type, @v) = @_; my $sum = 0; $sum += $_ for @v; $sum },
    union  => sub { my ($type, @v) = @_; my %seen; '{' . join(',', grep { !$seen{$_}++ } map { /(\d+)/g } @v) . '}' },
    concat => sub { my ($type, @v) = @_; my %seen; join ', ', grep { !$seen{$_}++ } @v },
);

sub write_merged {
    my ($self, $group) = @_;
    my $rules = $self->{plan}{merge};
    return if !$group->[0];
    my %values;
    for my $column (keys %$rules) {
        my @values = grep { defined } map { $_->{values}{$column} } @$group;
        my $type = Shape::type_of($group->[0]{table}, $column);
        $values{$column} = @values ? $merges{ $rules->{$column} }->($type, @values) : undef;
    }
    @{ $group->[0]{values} }{ keys %values } = values %values;
}

# --- the whole

sub check_rules {
    my $self = shift;
    for my $table (@{ $self->{shape}{tables} }) {
        my $there = Rules::index_of(Rules::all_of($table));
        for my $row (grep { !$_->{gone} } @{ $self->{rows}[ $table->{i} ] }) {
            doubt($self, 'rows collide in the end') if $there->{find}->($row);
            $there->{add}->($row);
        }
    }
}

sub image {
    my $row = shift;
    my %image = map { $_->{name} => $row->{get}->($_->{name}) } @{ $row->{table}{columns} };
    return \%image;
}

# Refused when the plan is held against the catalog, whatever the rows.
sub refused_early {
    my $self = shift;
    my ($shape, $plan) = @$self{qw(shape plan)};
    refuse($self, $plan->{mistake}) if $plan->{mistake};
    for my $edge (edges_with($self, 'set-null')) {
        refuse($self, 'set-null on NOT NULL') if !Policies::nullable($shape, $edge);
    }
    refuse($self, 'move without survivors') if !Policies::survives($plan->{track}) && edges_with($self, 'move');
}

sub run {
    my ($shape, $plan, $rows, $cut) = @_;
    my $self = build($shape, $rows);
    $self->{plan} = $plan;
    eval {
        refused_early($self);
        read_keys($self);
        my @groups = groups($self, $plan->{track});
        $self->{groups} = @groups;
        transaction($self, @$_) for $cut->(@groups);
        check_rules($self);
        1;
    } or do {
        die $@ if ref $@ ne 'HASH';
        $self->{refused} = $@->{refused};
    };
    my @left = map { my %here = map { $_->{values}{tag} => image($_) } grep { !$_->{gone} } @$_; \%here } @{ $self->{rows} };
    return { refused => $self->{refused}, left => \@left, doubts => $self->{doubts}, groups => $self->{groups} };
}

1;
