# All output goes through here, so that the value of a secret cannot get out.
package Report;

use constant SHORTEST_SECRET => 4;     # shorter values would blacken ordinary words
use constant SHORTEST_LINE   => 12;    # of a secret of several lines, e.g. a private key

my %secret;
my $secrets_pattern;

sub hide (@values) {
    for my $value (@values) {
        my @lines = grep { length >= SHORTEST_LINE && !/^-----/ } $value =~ /\n./ ? split /\n/, $value : ();
        $secret{$_} = 1 for grep { length >= SHORTEST_SECRET } $value, $value =~ s/\n+\z//r, @lines;
    }
    my $alternatives = join '|', map { quotemeta } sort { length $b <=> length $a } keys %secret;
    $secrets_pattern = length $alternatives ? qr/$alternatives/ : undef;
}

sub redacted ($text) {
    $text =~ s/$secrets_pattern/***/g if $secrets_pattern;
    return $text;
}

# What is printed may have nobody left to read it (a lost SSH connection): a failed write is no error.
sub line ($text) {
    no warnings 'closed';
    print STDOUT redacted($text), "\n";
}

sub error ($text) {
    print STDERR 'converge: ', redacted($text), "\n";
}

# The last COUNT lines of a command's output, indented under a message; empty when there was none.
sub excerpt ( $output, $count = 15 ) {
    my @lines = grep { /\S/ } split /\n/, redacted($output);
    @lines = @lines[ -$count .. -1 ] if @lines > $count;
    return join '', map { "\n    $_" } @lines;
}

# The first line that says something, short enough for a list, cut between characters; undef when there is none.
sub first_line ($output) {
    my ($line) = redacted($output) =~ /(\S.*)/ or return undef;
    $line =~ s{\A\Q${\Converge::RUN}\E/\S+: \d+: }{};    # the shell's own name for a script that is gone by now
    my $is_utf8 = utf8::decode($line);
    $line = substr $line, 0, 200;
    utf8::encode($line) if $is_utf8;
    return $line;
}
