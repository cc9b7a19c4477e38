# One case, from its seed: made, run, compared with the model, taken back, compared with the start.
#
#   run(worker, seed) -> { ok, name, why, doubts }       worker: { server, version, database, work, keep, kinds, tables, pgwinnow }
package Case;
use strict;
use warnings;
use POSIX ':sys_wait_h';
use Time::HiRes qw(sleep time);
use Data;
use Lenient;
use Model;
use Policies;
use Shape;

# --- the program

sub start {
    my ($w, @arguments) = @_;
    my $pid = fork;
    return $pid if $pid;
    $ENV{PGDATABASE} = $w->{database};
    chdir $w->{work};
    open STDIN, '<', '/dev/null';
    open STDOUT, '>>', 'output';
    open STDERR, '>&', \*STDOUT;
    print "\$ pgwinnow @arguments\n";
    $| = 1;
    exec $w->{pgwinnow}, @arguments or POSIX::_exit(127);
}

# Its exit code; 128 and the signal, if one ended it. `life`: killed after so many seconds.
sub finish {
    my ($pid, $life) = @_;
    my $until = time + ($life // 30);
    while (time < $until) {
        return $? & 127 ? 128 + ($? & 127) : $? >> 8 if waitpid($pid, WNOHANG) == $pid;
        sleep 0.004;
    }
    kill 'KILL', $pid;
    waitpid $pid, 0;
    return defined $life ? 137 : 124;
}

# Killed so many times at a random moment, then left alone.
sub program {
    my ($w, $kills, @arguments) = @_;
    for (1 .. $kills) {
        my $code = finish(start($w, @arguments), 0.01 + rand 0.25);
        return $code if $code != 137;
        $w->{killed}++;
    }
    return finish(start($w, @arguments));
}

# --- what is there

sub read_tables {
    my ($w, $shape, $places) = @_;
    my $got = $w->{server}->tables(map {
        my $place = $places ? '(SELECT *, row_number() OVER (ORDER BY tableoid, ctid) AS pgw_place FROM ' . $_->{sql} . ') pgw_x' : $_->{sql};
        [ $_->{i}, [ (map { $_->{name} } @{ $_->{columns} }), $places ? 'pgw_place' : () ], $place ]
    } @{ $shape->{tables} });
    return [ map { $got->{ $_->{i} } } @{ $shape->{tables} } ];
}

sub by_tag { return [ map { my %rows = map { $_->{tag} => $_ } @$_; \%rows } @{ $_[0] } ] }

sub shown { my ($row, @columns) = @_; return join ', ', map { "$_=" . ($row->{$_} // 'NULL') } @columns }

# The first differences, or ''.
sub differences {
    my ($shape, $expected, $got) = @_;
    my @lines;
    for my $table (@{ $shape->{tables} }) {
        my ($should, $is) = ($expected->[ $table->{i} ], $got->[ $table->{i} ]);
        my @columns = map { $_->{name} } @{ $table->{columns} };
        for my $tag (sort { $a <=> $b } keys %{ { %$should, %$is } }) {
            my ($a, $b) = ($should->{$tag}, $is->{$tag});
            next if $a && $b && shown($a, @columns) eq shown($b, @columns);
            push @lines, "$table->{name}: should be " . ($a ? shown($a, @columns) : 'gone') . '; is ' . ($b ? shown($b, @columns) : 'gone');
        }
    }
    splice @lines, 6, @lines - 6, '...' if @lines > 6;
    return join "\n", @lines;
}

# --- the model

sub at_once { return [@_] }
sub one_by_one { return map { [$_] } @_ }

sub cut_by {
    my $bits = shift;
    return sub {
        my @lists = [ shift @_ ];
        for my $i (0 .. $#_) { $bits & 1 << $i ? push @lists, [ $_[$i] ] : push @{ $lists[-1] }, $_[$i] }
        return grep { defined $_->[0] } @lists;
    };
}

sub expected {
    my ($case) = @_;
    my ($shape, $plan, $before) = @$case{qw(shape plan before)};
    my $whole = Model::run($shape, $plan, $before, \&at_once);
    return $whole if $plan->{large};
    my $single = Model::run($shape, $plan, $before, \&one_by_one);
    $whole->{doubts}{cut}++ if ($whole->{refused} // '') ne ($single->{refused} // '') || differences($shape, $whole->{left}, $single->{left}) ne '';
    $whole->{doubts}{$_}++ for keys %{ $single->{doubts} };
    return $whole;
}

# Small batches: some way to cut the groups into transactions gives this.
sub some_cut_agrees {
    my ($case, $after) = @_;
    my ($shape, $plan, $before) = @$case{qw(shape plan before)};
    my $groups = $case->{expected}{groups} // 0;
    return 0 if $groups < 2 || $groups > 8;
    for my $bits (0 .. (1 << $groups - 1) - 1) {
        my $model = Model::run($shape, $plan, $before, cut_by($bits));
        return 1 if !$model->{refused} && differences($shape, $model->{left}, $after) eq '';
    }
    return 0;
}

# --- judging

# A circle of rows larger than a batch stays, and what it took to find out is done: each row is as the model says, or as before.
sub part_of_it {
    my ($case, $after) = @_;
    my ($shape, $expected) = @$case{qw(shape expected)};
    my $before = by_tag($case->{before});
    my @nulls = grep { $case->{plan}{edges}[ $_->{i} ]{policy} eq 'set-null' } @{ $shape->{edges} };
    for my $table (@{ $shape->{tables} }) {
        my @columns = map { $_->{name} } @{ $table->{columns} };
        my ($was, $should, $is) = map { my %copy = map { $_->{tag} => {%$_} } values %{ $_->[ $table->{i} ] }; \%copy } $before, $expected->{left}, $after;
        for my $tag (keys %$was) {
            for my $column (map { @{ $_->{columns} } } grep { $_->{child} == $table->{i} } @nulls) {
                $_->{$tag} && $is->{$tag} && !defined $is->{$tag}{$column} and $_->{$tag}{$column} = undef for $was, $should;
            }
            my ($x, $y, $z) = map { $_->{$tag} ? shown($_->{$tag}, @columns) : '' } $was, $should, $is;
            return "more than should: $table->{name}: was $x; is $z" if $z ne $x && $z ne $y;
        }
    }
    return '';
}

sub judge_done {
    my ($case, $after) = @_;
    my ($shape, $plan, $expected) = @$case{qw(shape plan expected)};
    my $differences = differences($shape, $expected->{left}, $after);
    return '' if $differences eq '' && !$expected->{refused};
    return "it should have been refused: $expected->{refused}" if $expected->{refused} && !%{ $expected->{doubts} };
    return $differences if !%{ $expected->{doubts} };
    if ($expected->{doubts}{circle}) {
        $case->{lenient} = 1;
        return keys %{ $expected->{doubts} } > 1 ? '' : part_of_it($case, $after);
    }
    return '' if $expected->{doubts}{cut} && some_cut_agrees($case, $after);
    $case->{lenient} = 1;
    # A key that moved took a row along into another's place: which of them stays is nowhere said.
    return '' if $expected->{doubts}{'rows collide in the end'};
    my $wrong = Lenient::wrong($shape, $plan, $case->{before}, $after);
    return $wrong ? "$wrong; doubts: " . join(', ', sort keys %{ $expected->{doubts} }) . "\n$differences" : '';
}

sub judge_refused {
    my ($case, $code, $after) = @_;
    my ($shape, $plan, $expected) = @$case{qw(shape plan expected)};
    my $doubts = %{ $expected->{doubts} };
    # No batch is larger than its bounds, and a key that moves takes what points at it along at once.
    return '' if $code == 1 && !$plan->{large} && read_file("$case->{work}/output") =~ /more rows with it than a batch may change/;
    # Rows are set to NULL before others go: under NULLS NOT DISTINCT one may stand in the way for that moment. It ends there.
    return '' if $code == 1 && read_file("$case->{work}/output") =~ /^pgwinnow: sett(?:ing .* to NULL|ling rows of .* in pieces): duplicate key value/m;
    return differences($shape, by_tag($case->{before}), $after) && 'refused for its size, but changed'
        if $code == 3 && $plan->{kind} eq 'together' && !$plan->{large} && !$expected->{refused} && !$doubts;
    return "exit code $code" if !$expected->{refused} && !$doubts;
    my $runs = ($expected->{refused} // '') =~ /^(stop|conflict|nothing)/;
    return "exit code $code, refused: " . ($expected->{refused} // '')
        if $doubts ? $code < 1 || $code > 3 : $runs ? $code != 3 : $code != 2 && $code != 3;
    return '' if !$plan->{large} && ($runs || $doubts);
    my $differences = differences($shape, by_tag($case->{before}), $after);
    return $differences eq '' ? '' : "refused, but changed:\n$differences";
}

# What batches recorded by edge adds up to their children, and by table to what the archive has of it.
sub miscounted {
    my ($w, $case) = @_;
    my $runs = "pgwinnow.runs r JOIN pgwinnow.batches b ON b.run = r.run WHERE r.plan = '$case->{name}'";
    my @wrong = $w->{server}->ask("SELECT format('children %s, by edge %s', b.children, b.edges) FROM $runs
        AND b.children <> COALESCE((SELECT sum(n) FROM unnest(b.edges) n), 0)");
    for my $archive ($w->{server}->ask("SELECT a.name FROM pgwinnow.archives a JOIN pgwinnow.runs r USING (run) WHERE r.plan = '$case->{name}'")) {
        push @wrong, $w->{server}->ask("SELECT format('%s: %s rows kept, by edge %s', x.name, kept, counted) FROM (
            SELECT a.name, (SELECT count(*) FROM pgwinnow.$archive WHERE pgwinnow_action IN ('delete', 'set-null', 'move'))
                   - CASE WHEN a.table_oid = r.table_oid THEN (SELECT sum(b.rows) FROM pgwinnow.batches b WHERE b.run = r.run) ELSE 0 END AS kept,
                   (SELECT COALESCE(sum(b.edges[e.place]), 0) FROM jsonb_array_elements(r.tree_shown) WITH ORDINALITY e (edge, place)
                      JOIN pgwinnow.batches b ON b.run = r.run WHERE (e.edge ->> 'child')::regclass = a.table_oid) AS counted
              FROM pgwinnow.archives a JOIN pgwinnow.runs r ON r.run = a.run WHERE a.name = '$archive') x WHERE kept <> counted");
    }
    return @wrong ? "counted by edge:\n" . join("\n", @wrong) : '';
}

sub judge_undone {
    my ($w, $case) = @_;
    # Killed when all was done: the next start was a run of its own.
    for my $run ($w->{server}->ask("SELECT run FROM pgwinnow.runs WHERE plan = '$case->{name}' ORDER BY run DESC")) {
        my $code = program($w, $case->{kills} ? 1 : 0, 'undo', $run, '--yes');
        return "undo ended with $code" if $code;
    }
    my $differences = differences($case->{shape}, by_tag($case->{before}), by_tag(read_tables($w, $case->{shape})));
    return $differences eq '' ? '' : "after undo:\n$differences";
}

# --- one case

sub prepare {
    my ($w, $seed) = @_;
    srand $seed;
    my $shape = Shape::make($w->{version}, $w->{tables});
    my $rows = Data::make($shape);
    my $plan = Policies::make($shape, $rows, @{ $w->{kinds} });
    my $kills = chance(0.2) ? 1 + int rand 3 : 0;
    $plan->{batch} =~ s/pause: 0ms/pause: 5ms/ if $kills;
    my $case = { seed => $seed, name => "case-$seed", shape => $shape, plan => $plan, kills => $kills, work => $w->{work} };
    $case->{sql} = Shape::sql($shape, $rows) . Policies::sql($shape, $plan);
    $case->{text} = Policies::text($shape, $plan, $case->{name});
    return $case;
}

sub chance { return rand() < $_[0] }

sub judge {
    my ($w, $case) = @_;
    $w->{server}->ask($case->{sql});
    write_file("$w->{work}/plan.yaml", $case->{text});
    write_file("$w->{work}/output", '');
    $case->{before} = read_tables($w, $case->{shape}, 1);
    $case->{expected} = expected($case);
    my $code = program($w, $case->{kills}, 'run', 'plan.yaml', '--output', 'plain');
    my $after = by_tag(read_tables($w, $case->{shape}));
    $case->{code} = $code;
    return judge_done($case, $after) || miscounted($w, $case) || judge_undone($w, $case) if !$code;
    my $why = judge_refused($case, $code, $after);
    return $why if $why;
    return '' if differences($case->{shape}, by_tag($case->{before}), $after) eq '';
    program($w, 0, 'cancel', $case->{name}, '--yes');
    return judge_undone($w, $case);
}

sub write_file {
    my ($name, $text) = @_;
    open my $file, '>', $name or die "$name: $!\n";
    print $file $text;
    close $file;
}

sub read_file {
    open my $file, '<', $_[0] or return '';
    local $/;
    return <$file>;
}

sub keep {
    my ($w, $case, $why) = @_;
    my $folder = "$w->{keep}/$case->{seed}";
    mkdir $_ for $w->{keep}, $folder;
    write_file("$folder/schema.sql", $case->{sql});
    write_file("$folder/plan.yaml", $case->{text});
    write_file("$folder/why", "$why\n\n" . read_file("$w->{work}/output"));
    return $folder;
}

sub describe {
    my $case = shift;
    my ($shape, $plan) = @$case{qw(shape plan)};
    my %policies;
    $policies{ $_->{policy} }++ for grep { $_->{reached} } @{ $plan->{edges} };
    my $text = "seed $case->{seed}: $plan->{kind} $plan->{track}{source}, " . @{ $shape->{tables} } . ' tables, '
        . (join(' ', map { "$policies{$_} $_" } sort keys %policies) || 'no children');
    $text .= ', small batches' if !$plan->{large};
    $text .= ", killed" if $case->{kills};
    $text .= ", refused: $case->{expected}{refused}" if $case->{expected}{refused};
    return $text;
}

sub run {
    my ($w, $seed) = @_;
    my $case = prepare($w, $seed);
    my $why = eval { judge($w, $case) };
    $why = "died: $@" if !defined $why;
    $why .= "\nleft in " . keep($w, $case, $why) if $why;
    return { ok => $why eq '', name => describe($case), why => $why, lenient => $case->{lenient} // 0, code => $case->{code} // -1 };
}

1;
