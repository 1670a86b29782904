# Secrets of a unit: named in its text as @{secret:NAME}, their values in one root-only file, which is the set:
# replaced as a whole, so that a killed run leaves the old set or the new one. First the caller's digest of the set
# and token, both opaque here; then `NAME BASE64` lines.
package Secrets;

my $reference = qr/\@\{secret:([A-Za-z0-9_.|:-]+)\}/;

# Checks every @{…} of a text that may hold references; returns the names of the secrets it uses.
sub names ( $text, $where ) {
    my @names;
    while ( $text =~ /(\@\{[^}\n]*\}?)/g ) {
        my $found = $1;
        next if $found eq '@{at}';
        $where->(
            substr( $text, 0, pos $text ),
            "$found is neither \@{secret:NAME} nor \@{at}; write a literal \@{ as \@{at}{"
        ) if $found !~ /\A$reference\z/;
        push @names, $1;
    }
    return @names;
}

sub expand ( $text, $values ) {
    return $text =~ s/\@\{(?:secret:([^}]+)|at)\}/defined $1 ? $values->{$1} : '@'/ger;
}

sub store ( $unit, $digest, $token, $lines ) {
    my %encoded;
    for my $line (@$lines) {
        my ( $name, $base64 ) = $line =~ m{\A([A-Za-z0-9_.|:-]+) ([A-Za-z0-9+/]*={0,2})\z}
            or Failure::throw(
            'a secret is one line `NAME BASE64`; this one is not (its text is not shown)',
            Converge::USAGE
            );
        Failure::throw( "secret $name is given twice",           Converge::USAGE ) if exists $encoded{$name};
        Failure::throw( "secret $name: its base64 is cut short", Converge::USAGE ) if length($base64) % 4;
        $encoded{$name} = $base64;
    }
    State::put( $unit, 'secrets', join '', "$digest\n", "$token\n", map { "$_ $encoded{$_}\n" } sort keys %encoded );
    return sort keys %encoded;
}

# { digest, token, values => { NAME => bytes } }; every value is hidden from all output from here on.
# A unit that was given no secrets has the digest `-`.
sub load ($unit) {
    my ( $digest, $token, @lines ) = split /\n/, State::get( $unit, 'secrets' ) // "-\n";
    my %values = map { my ( $name, $base64 ) = split / /, $_, 2; $name => decoded( $base64 // '' ) } @lines;
    Report::hide( values %values );
    return { digest => $digest, token => $token // '', values => \%values };
}

# perl-base has no MIME::Base64; base64 is uuencoding with another alphabet.
sub decoded ($base64) {
    $base64 =~ tr{A-Za-z0-9+/}{}cd;
    $base64 =~ tr{A-Za-z0-9+/}{ -_};
    return join '', map { unpack 'u', chr( 32 + int( length($_) * 3 / 4 ) ) . $_ } $base64 =~ /.{1,60}/gs;
}
