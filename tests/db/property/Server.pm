# A psql that stays open: statements in, rows out. DBI is not asked for; perl comes with prove.
package Server;
use strict;
use warnings;
use IPC::Open2;

my $mark = "\x01done\x01";

sub new {
    my ($class, $database) = @_;
    local $ENV{PGDATABASE} = $database;
    local $ENV{PGOPTIONS} = '-c client_min_messages=error -c synchronous_commit=off';
    my $pid = open2(my $out, my $in, 'exec psql -XAtqn -v ON_ERROR_STOP=0 2>&1');
    $in->autoflush(1);
    return bless { pid => $pid, in => $in, out => $out, database => $database }, $class;
}

# What psql printed, lines without their ends. An error of the server ends the case.
sub ask {
    my ($self, $sql) = @_;
    my $end = $sql =~ /(;|\\\.)\s*$/ ? '' : ';';
    print { $self->{in} } "$sql$end\n\\echo $mark\n" or die "psql is gone: $!\n";
    my @lines;
    while (defined(my $line = readline $self->{out})) {
        chomp $line;
        return check($sql, @lines) if $line eq $mark;
        push @lines, $line;
    }
    die "psql is gone, after:\n$sql\n" . join("\n", @lines) . "\n";
}

sub check {
    my ($sql, @lines) = @_;
    my @errors = grep { /^(psql:[^:]*:\d*:? ?)?(ERROR|FATAL|PANIC):/ } @lines;
    die "@errors, in:\n" . substr($sql, 0, 300) . "\n" if @errors;
    return @lines;
}

sub close {
    my $self = shift;
    close $self->{in};
    close $self->{out};
    waitpid $self->{pid}, 0;
}

sub identifier { my $name = shift; $name =~ s/"/""/g; return qq("$name") }
sub literal    { my $text = shift; return 'NULL' if !defined $text; $text =~ s/'/''/g; return "'$text'" }

my %escapes = (b => "\b", f => "\f", n => "\n", r => "\r", t => "\t", v => "\x0b");

sub from_copy {
    my $field = shift;
    return undef if $field eq '\N';
    $field =~ s/\\(.)/exists $escapes{$1} ? $escapes{$1} : $1/ge;
    return $field;
}

sub to_copy {
    my $value = shift;
    return '\N' if !defined $value;
    $value =~ s/\\/\\\\/g;
    $value =~ s/\t/\\t/g;
    $value =~ s/\n/\\n/g;
    return $value;
}

# One trip for several tables: [name for us, columns, SQL of the table]... -> { name => [ { column => value }... ] }
sub tables {
    my ($self, @wanted) = @_;
    my $sql = '';
    for (@wanted) {
        my ($name, $columns, $table) = @$_;
        $sql .= "\\echo \x02$name\nCOPY (SELECT " . join(', ', map { identifier($_) } @$columns) . " FROM $table) TO STDOUT;\n";
    }
    my (%rows, $name, $columns);
    my %columns = map { $_->[0] => $_->[1] } @wanted;
    for my $line ($self->ask($sql)) {
        if ($line =~ /^\x02(.*)/) {
            $name = $1;
            $rows{$name} = [];
            next;
        }
        my @values = map { from_copy($_) } split /\t/, $line, -1;
        my %row;
        @row{ @{ $columns{$name} } } = @values;
        push @{ $rows{$name} }, \%row;
    }
    return \%rows;
}

1;
