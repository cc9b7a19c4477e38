# A random schema: tables, keys, foreign keys, unique rules. What Data.pm fills, Policies.pm plans for and Model.pm reads:
#
#   { schema, tables => [...], edges => [...] }
#   table: { i, name, columns => [{ name, type, notnull, generated => { sql, of } }], key => [column...], primary,
#            rules => [...], partition => column, n, s, f, g => column names of the plain columns, tag }
#   edge:  { i, child, columns, parent, references, on_delete, on_update }       child and parent are tables' numbers
#   rule:  { sql, items => [{ sql, of => sub (get) }], columns, where, holds, nulls_equal, overlap, deferrable }
#
# Every row has a tag that no rule knows: by it the model and the test tell rows apart.
package Shape;
use strict;
use warnings;
use Exporter 'import';
our @EXPORT_OK = qw(one_of chance upto shuffled identifier);
use Server;

sub upto     { return int rand $_[0] }
sub chance   { return rand() < $_[0] }
sub one_of   { return $_[ int rand @_ ] }
sub shuffled { my @all = @_; for (reverse 1 .. $#all) { my $j = int rand($_ + 1); @all[ $_, $j ] = @all[ $j, $_ ] } return @all }

my @odd   = ('Big', 'the row', 'q"t', "it's", 'select', "na\xc3\xafve", 'a.b', '$1', ':x', 'x,y', '(p)');
my @plain = qw(item part note post tag link view vote user2 node leaf page);

sub identifier {
    my $name = shift;
    return $name if $name =~ /^[a-z][a-z0-9_]*$/ && $name ne 'select';
    return Server::identifier($name);
}

sub quoted { return join ', ', map { Server::identifier($_) } @_ }

sub new_name {
    my ($taken, $number) = @_;
    my $name = chance(0.25) ? one_of(@odd) : one_of(@plain);
    $name .= $number while $taken->{$name};
    $taken->{$name} = 1;
    return $name;
}

sub column {
    my ($table, $taken, $type, $notnull) = @_;
    my $name = new_name($taken, 1 + @{ $table->{columns} });
    push @{ $table->{columns} }, { name => $name, type => $type, notnull => $notnull };
    return $name;
}

sub column_of { my ($table, $name) = @_; return (grep { $_->{name} eq $name } @{ $table->{columns} })[0] }

sub type_of { return column_of(@_)->{type} }

# --- keys

sub key_of_own {
    my ($table, $taken) = @_;
    my $style = one_of(qw(int int int bigint text uuid unique), "int,text", "text,int");
    my @types = $style eq 'unique' ? (one_of(qw(int text uuid))) : split /,/, $style;
    my @columns = map { column($table, $taken, $_, 1) } @types;
    $table->{key} = [ chance(0.5) ? @columns : reverse @columns ];
    $table->{primary} = $style ne 'unique';
}

# The primary key is a foreign key, or begins with one.
sub key_of_parent {
    my ($shape, $table, $taken) = @_;
    my @parents = grep { @{ $shape->{tables}[$_]{key} } } 0 .. $table->{i} - 1;
    my $edge = foreign_key($shape, $table, one_of(@parents), $taken, 1);
    my @columns = @{ $edge->{columns} };
    push @columns, column($table, $taken, 'int', 1) if chance(0.5);
    $table->{key} = \@columns;
    $table->{primary} = $edge->{in_key} = 1;
}

sub make_key {
    my ($shape, $table, $taken) = @_;
    my $style = $table->{i} ? one_of(qw(own own own parent parent none)) : 'own';
    $table->{key} = [];
    return key_of_own($table, $taken) if $style eq 'own';
    return key_of_parent($shape, $table, $taken) if $style eq 'parent';
}

# --- foreign keys

sub foreign_key {
    my ($shape, $table, $parent, $taken, $notnull) = @_;
    my $target = $parent == $table->{i} ? $table : $shape->{tables}[$parent];
    my @references = $target->{other} && chance(0.3) ? ($target->{other}) : @{ $target->{key} };
    return if !@references;
    my $edge = {
        i          => scalar @{ $shape->{edges} },
        child      => $table->{i},
        parent     => $parent,
        references => \@references,
        columns    => [ map { column($table, $taken, type_of($target, $_), $notnull) } @references ],
        on_delete  => one_of('NO ACTION', 'NO ACTION', 'RESTRICT', 'CASCADE', 'SET NULL', 'SET DEFAULT'),
        on_update  => chance(0.8) ? 'NO ACTION' : one_of('CASCADE', 'CASCADE', 'SET NULL', 'RESTRICT'),
        deferrable => chance(0.1),
        notnull    => $notnull,
    };
    push @{ $shape->{edges} }, $edge;
    return $edge;
}

# To tables that are there already; circles and self references are nullable, or NOT NULL on a row's own.
sub make_edges {
    my ($shape, $table, $taken) = @_;
    my $i = $table->{i};
    my @mine = grep { $_->{child} == $i } @{ $shape->{edges} };
    my $count = $i ? 1 + chance(0.4) + chance(0.2) - @mine : 0;
    for (1 .. $count) {
        my @parents = grep { @{ $shape->{tables}[$_]{key} } } 0 .. $i - 1;
        my $parent = chance(0.5) ? 0 : @mine && chance(0.4) ? $mine[0]{parent} : one_of(@parents);
        push @mine, foreign_key($shape, $table, $parent, $taken, chance(0.4));
    }
    foreign_key($shape, $table, $i, $taken, 0) if @{ $table->{key} } && chance(0.15);
}

sub make_circle {
    my $shape = shift;
    my ($from, $to) = (upto(scalar @{ $shape->{tables} }), upto(scalar @{ $shape->{tables} }));
    ($from, $to) = ($to, $from) if $from > $to;
    my $table = $shape->{tables}[$from];
    return if $from == $to || !@{ $shape->{tables}[$to]{key} };
    my %taken = map { $_->{name} => 1 } @{ $table->{columns} };
    foreign_key($shape, $table, $to, \%taken, 0);
}

# --- unique rules

sub plain_item {
    my $column = shift;
    return { sql => Server::identifier($column), columns => [$column], of => sub { $_[0]->($column) } };
}

sub expression_item {
    my $table = shift;
    my ($n, $s) = ($table->{n}, $table->{s});
    my ($qn, $qs) = (Server::identifier($n), Server::identifier($s));
    return one_of(
        { sql => "lower($qs)", columns => [$s], of => sub { my $v = $_[0]->($s); defined $v ? lc $v : undef } },
        { sql => "(coalesce($qn, 0))", columns => [$n], of => sub { my $v = $_[0]->($n); defined $v ? $v : 0 } },
        { sql => "($qn / 2)", columns => [$n], of => sub { my $v = $_[0]->($n); defined $v ? int($v / 2) || 0 : undef } });
}

# SQL's three values: undef is not true.
sub condition {
    my ($table, $edge) = @_;
    my ($n, $s, $f) = @$table{qw(n s f)};
    my ($qn, $qs, $qf) = map { Server::identifier($_) } $n, $s, $f;
    my $first = $edge->{columns}[0];
    return one_of(
        { where => $qf, columns => [$f], holds => sub { my $v = $_[0]->($f); defined $v && $v eq 't' } },
        { where => "$qn > 0", columns => [$n], holds => sub { my $v = $_[0]->($n); defined $v && $v > 0 } },
        { where => "$qs IS DISTINCT FROM 'a'", columns => [$s], holds => sub { my $v = $_[0]->($s); !defined $v || $v ne 'a' } },
        { where => Server::identifier($first) . ' IS NOT NULL', columns => [$first], holds => sub { defined $_[0]->($first) } });
}

sub rule_items {
    my ($table, $edges) = @_;
    my @items = map { plain_item($_) } map { @{ $_->{columns} } } @$edges;
    my $kind = @{ $table->{key} } && chance(0.15) ? 'alone' : one_of(qw(n n s ns expression generated));
    push @items, plain_item($table->{n}) if $kind =~ /n$|ns/;
    push @items, plain_item($table->{s}) if $kind =~ /^n?s$/;
    push @items, expression_item($table) if $kind eq 'expression' || ($kind eq 'generated' && !$table->{generated});
    push @items, plain_item($table->{generated}) if $kind eq 'generated' && $table->{generated};
    push @items, plain_item($table->{partition}) if $table->{partition};
    return shuffled(@items);
}

sub overlap_rule {
    my ($table, $edge, $name) = @_;
    my ($fk, $n) = ($edge->{columns}[0], $table->{n});
    my ($qfk, $qn) = map { Server::identifier($_) } $fk, $n;
    return {
        sql => "ALTER TABLE TABLE ADD CONSTRAINT $name EXCLUDE USING gist"
            . " (int8range(${qfk}::bigint * 10 + $qn, ${qfk}::bigint * 10 + $qn + 2) WITH &&)"
            . " WHERE ($qfk IS NOT NULL AND $qn IS NOT NULL)",
        columns => [ $fk, $n ],
        overlap => sub {
            my ($a, $b) = map { my ($v, $x) = ($_->($fk), $_->($n)); defined $v && defined $x ? $v * 10 + $x : undef } @_;
            return defined $a && defined $b && abs($a - $b) < 2;
        },
    };
}

sub unique_rule {
    my ($shape, $table, $edges, $name) = @_;
    my $plain_only = $table->{partition};
    return overlap_rule($table, $edges->[0], $name)
        if !$plain_only && type_of($table, $edges->[0]{columns}[0]) =~ /int/ && chance(0.06);
    my $rule = { items => [ rule_items($table, $edges) ] };
    my $list = join ', ', map { $_->{sql} } @{ $rule->{items} };
    my $expressions = grep { $_->{sql} =~ /\(/ && $_->{sql} !~ /^"/ } @{ $rule->{items} };
    if (chance(0.3)) {
        my $condition = condition($table, $edges->[0]);
        @$rule{qw(where holds)} = @$condition{qw(where holds)};
        $rule->{columns} = $condition->{columns};
    }
    push @{ $rule->{columns} }, map { @{ $_->{columns} } } @{ $rule->{items} };
    $rule->{nulls_equal} = $shape->{version} >= 150000 && chance(0.2);
    my $nulls = $rule->{nulls_equal} ? ' NULLS NOT DISTINCT' : '';
    my $where = $rule->{where} ? " WHERE ($rule->{where})" : '';
    if (!$plain_only && !$rule->{nulls_equal} && chance(0.12)) {
        my $with = join ', ', map { "$_->{sql} WITH =" } @{ $rule->{items} };
        $rule->{sql} = "ALTER TABLE TABLE ADD CONSTRAINT $name EXCLUDE USING btree ($with)$where";
    } elsif (!$expressions && !$where && chance(0.5)) {
        $rule->{deferrable} = chance(0.3);
        my $defer = $rule->{deferrable} ? one_of(' DEFERRABLE', ' DEFERRABLE INITIALLY DEFERRED') : '';
        $rule->{sql} = "ALTER TABLE TABLE ADD CONSTRAINT $name UNIQUE$nulls ($list)$defer";
    } else {
        $rule->{sql} = "CREATE UNIQUE INDEX $name ON TABLE ($list)$nulls$where";
    }
    return $rule;
}

# The plan table's own references are in no rule: a row of it that a move drops may be one that must stay.
sub make_rules {
    my ($shape, $table) = @_;
    my @edges = grep { $_->{child} == $table->{i} } @{ $shape->{edges} };
    return if !$table->{i} || !@edges;
    for my $edge (shuffled(@edges)) {
        next if !chance(0.6);
        my @involved = ($edge);
        my ($second) = grep { $_ != $edge } @edges;
        push @involved, $second if $second && chance(0.15);
        my $name = "u$table->{i}_" . (1 + @{ $table->{rules} });
        push @{ $table->{rules} }, unique_rule($shape, $table, \@involved, $name);
        last if @{ $table->{rules} } > 2;
    }
}

sub key_rule {
    my $table = shift;
    return { items => [ map { plain_item($_) } @_ ], columns => [@_] };
}

# --- tables

sub partition {
    my ($table, $taken) = @_;
    return if !$table->{i} || $table->{other} || !$table->{primary} || !chance(0.15);
    $table->{partition} = column($table, $taken, 'int', 1);
    push @{ $table->{key} }, $table->{partition};
}

sub add_generated {
    my ($shape, $table, $taken) = @_;
    my ($edge) = grep { $_->{child} == $table->{i} && type_of($table, $_->{columns}[0]) =~ /int/ } @{ $shape->{edges} };
    return if !$edge || !chance(0.2);
    my $from = $edge->{columns}[0];
    $table->{generated} = column($table, $taken, 'bigint', 0);
    column_of($table, $table->{generated})->{generated} = {
        sql => Server::identifier($from) . '::bigint * 3',
        of  => sub { my $v = $_[0]->($from); defined $v ? $v * 3 : undef },
    };
}

sub make_table {
    my ($shape, $i, $names) = @_;
    my $table = { i => $i, name => new_name($names, $i), columns => [], rules => [] };
    my %taken;
    $shape->{tables}[$i] = $table;
    $table->{tag} = 'tag';
    $taken{tag} = 1;
    push @{ $table->{columns} }, { name => 'tag', type => 'int', notnull => 1 };
    make_key($shape, $table, \%taken);
    $table->{other} = column($table, \%taken, one_of(qw(int text)), 1) if $table->{primary} && chance(0.15);
    partition($table, \%taken);
    make_edges($shape, $table, \%taken);
    $table->{n} = column($table, \%taken, 'int', 0);
    $table->{s} = column($table, \%taken, 'text', 0);
    $table->{f} = column($table, \%taken, 'boolean', 0);
    $table->{g} = column($table, \%taken, one_of(qw(int text)), 0) if !$i;
    $table->{list} = column($table, \%taken, 'int[]', 0) if !$i;
    add_generated($shape, $table, \%taken);
    $table->{columns} = [ shuffled(@{ $table->{columns} }) ];
}

sub make {
    my ($version, $largest) = @_;
    my $shape = { version => $version, tables => [], edges => [], schema => chance(0.8) ? 'public' : 'Other "one"' };
    my %names;
    make_table($shape, $_, \%names) for 0 .. 1 + upto($largest || 5);
    make_circle($shape) if chance(0.2);
    for my $table (@{ $shape->{tables} }) {
        make_rules($shape, $table);
        $table->{keys} = [ map { key_rule($table, @$_) } grep { @$_ } $table->{key}, $table->{other} ? [ $table->{other} ] : () ];
        $table->{sql} = identifier($shape->{schema}) . '.' . identifier($table->{name});
    }
    return $shape;
}

# --- SQL

sub create_table {
    my $table = shift;
    my @parts = map {
        my $sql = Server::identifier($_->{name}) . " $_->{type}";
        $sql .= " GENERATED ALWAYS AS ($_->{generated}{sql}) STORED" if $_->{generated};
        $sql .= ' NOT NULL' if $_->{notnull};
        $sql;
    } @{ $table->{columns} };
    push @parts, ($table->{primary} ? 'PRIMARY KEY' : 'UNIQUE') . ' (' . quoted(@{ $table->{key} }) . ')' if @{ $table->{key} };
    push @parts, 'UNIQUE (' . quoted($table->{other}) . ')' if $table->{other};
    my $sql = "CREATE TABLE $table->{sql} (\n    " . join(",\n    ", @parts) . "\n)";
    return "$sql;\n" if !$table->{partition};
    $sql .= ' PARTITION BY LIST (' . quoted($table->{partition}) . ");\n";
    $sql .= "CREATE TABLE part_$table->{i}_$_ PARTITION OF $table->{sql} FOR VALUES IN ($_);\n" for 0, 1;
    return $sql . "CREATE TABLE part_$table->{i}_d PARTITION OF $table->{sql} DEFAULT;\n";
}

sub add_rules {
    my $table = shift;
    return join '', map { my $sql = $_->{sql}; $sql =~ s/\bTABLE TABLE\b/TABLE $table->{sql}/; $sql =~ s/ ON TABLE / ON $table->{sql} /; "$sql;\n" }
        @{ $table->{rules} };
}

sub add_edges {
    my $shape = shift;
    return join '', map {
        my ($child, $parent) = map { $shape->{tables}[$_] } $_->{child}, $_->{parent};
        "ALTER TABLE $child->{sql} ADD CONSTRAINT fk_$_->{i} FOREIGN KEY (" . quoted(@{ $_->{columns} }) . ")"
            . " REFERENCES $parent->{sql} (" . quoted(@{ $_->{references} }) . ")"
            . " ON DELETE $_->{on_delete} ON UPDATE $_->{on_update}" . ($_->{deferrable} ? ' DEFERRABLE' : '') . ";\n"
    } @{ $shape->{edges} };
}

# The schema and the rows, as psql takes them.
sub sql {
    my ($shape, $rows) = @_;
    my $schema = Server::identifier($shape->{schema});
    my $sql = "SET client_min_messages = error;\nDROP SCHEMA IF EXISTS public, \"Other \"\"one\"\"\" CASCADE;\n"
        . "CREATE SCHEMA public;\n" . ($shape->{schema} eq 'public' ? '' : "CREATE SCHEMA $schema;\n");
    $sql .= create_table($_) for @{ $shape->{tables} };
    for my $table (@{ $shape->{tables} }) {
        my @columns = map { $_->{name} } grep { !$_->{generated} } @{ $table->{columns} };
        $sql .= "COPY $table->{sql} (" . quoted(@columns) . ") FROM STDIN;\n";
        $sql .= join("\t", map { Server::to_copy($_) } @$_{@columns}) . "\n" for @{ $rows->[ $table->{i} ] };
        $sql .= "\\.\n";
    }
    $sql .= add_rules($_) for @{ $shape->{tables} };
    return $sql . add_edges($shape);
}

1;
