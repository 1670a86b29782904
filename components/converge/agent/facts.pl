# `converge facts`: what a program has to know of a host before it decides anything.
package Facts;
use POSIX ();

sub all () {
    my ( undef, $hostname, $kernel ) = POSIX::uname();
    my @interfaces = interfaces();
    return {
        os         => os(),
        arch       => Process::capture(qw(dpkg --print-architecture)) =~ s/\s+\z//r,
        hostname   => $hostname,
        kernel     => $kernel,
        perl       => sprintf( '%vd', $^V ),
        memory_mib => Json::number( memory_mib() ),
        cores      => Json::number( cores() ),
        disks      => [ disks() ],
        interfaces => \@interfaces,
        addresses  => [ map { @{ $_->{addresses} } } @interfaces ],
        listening  => [ map { listener($_) } Network::listeners() ],
        sudo       => Json::boolean($Converge::BY_SUDO),
        time       => Json::number( Process::capture(qw(date +%s.%3N)) =~ s/\s//gr ),    # seconds since 1970
    };
}

sub os () {
    my $text  = Disk::content('/etc/os-release') // Disk::content('/usr/lib/os-release') // '';
    my %value = $text =~ /^([A-Z_]+)="?(.*?)"?$/mg;
    return {
        id     => $value{ID}, version_id => $value{VERSION_ID}, codename => $value{VERSION_CODENAME},
        pretty => $value{PRETTY_NAME},
    };
}

sub memory_mib () {
    my ($kib) = Disk::content('/proc/meminfo') =~ /^MemTotal:\s+(\d+)/m;
    return int $kib / 1024;
}

# Processors that this host may use, which can be fewer than the machine has.
sub cores () { return 0 + Process::capture('nproc') }

# Local file systems that hold data: /, and what is mounted elsewhere and is not the system's own.
sub disks () {
    my $table =
        Process::run( [ split ' ', 'timeout 5 df --local --block-size=1M --output=size,avail,target' ], apart => 1 )
        ->{output};
    my %seen;
    return map { { mount => $_->[2], size_mib => Json::number( $_->[0] ), free_mib => Json::number( $_->[1] ) } }
        grep   { $_->[2] !~ m{\A/(?:dev|proc|sys|run|boot|snap)(?:/|\z)} && !$seen{ $_->[2] }++ }
        map    { /\A\s*(\d+)\s+(\d+)\s+(.*)\z/ ? [ $1, $2, $3 ] : () } split /\n/, $table;
}

# All but loopback, with global addresses.
sub interfaces () {
    my %addresses;
    for my $row ( split /\n/, Process::run( [qw(ip -oneline address show scope global)], apart => 1 )->{output} ) {
        my ( undef, $name, $family, $address ) = split ' ', $row;
        push @{ $addresses{$name} }, $address if $family =~ /\Ainet6?\z/;
    }
    opendir my $directory, '/sys/class/net' or return;
    return map { { name => $_, addresses => $addresses{$_} // [] } }
        sort grep { !/\A(?:\.|lo\z)/ && -d "/sys/class/net/$_" } readdir $directory;
}

sub listener ($found) {
    return {
        port    => Json::number( $found->{port} ),
        address => $found->{address},
        process => $found->{process},
    };
}
