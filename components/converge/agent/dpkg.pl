# Which packages are installed, asked of dpkg once for many names.
package Dpkg;

my %state;

# { version, installed, held } of packages by name (or name:architecture).
sub load (@names) {
    my @unknown = grep { !$state{$_} } @names or return;
    my $format  = '${Package}\t${Architecture}\t${db:Status-Abbrev}\t${Version}\n';
    my $done    = Process::run( [ 'dpkg-query', '--show', "--showformat=$format", '--', @unknown ], apart => 1 );
    $state{$_} = {} for @unknown;
    for my $row ( split /\n/, $done->{output} ) {
        my ( $name, $architecture, $status, $version ) = split /\t/, $row;
        my $package = { version => $version, installed => !!( $status =~ /\A.i/ ), held => !!( $status =~ /\Ah/ ) };
        for my $key ( $name, "$name:$architecture" ) {
            $state{$key} = $package if !$state{$key} || !$state{$key}{installed};
        }
    }
}

sub state ($name) {
    load($name);
    return $state{$name};
}

sub forget () { %state = () }

# A run of dpkg that was killed leaves its journal behind, or packages that are unpacked and not configured.
sub is_interrupted () {
    opendir my $journal, '/var/lib/dpkg/updates' or return 0;
    return 1 if grep { /\A[0-9]+\z/ } readdir $journal;
    return Process::capture( 'dpkg-query', '--show', '--showformat=${db:Status-Abbrev}\n' ) =~ /^.[UFWtH]/m;
}
