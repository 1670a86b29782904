# `package NAME[=VERSION]… [hold] [through PATH]` and `deb NAME VERSION sha256:HEX SOURCE [through PATH]`.
package Directive::Packages;
our @ISA = ('Directive');
Directive::register( package => __PACKAGE__ );

my $NAME    = qr/[a-z0-9][a-z0-9+.-]+(?::[a-z0-9-]+)?/;
my $VERSION = qr/[A-Za-z0-9.+~:-]+/;

# Lines that follow each other are one transaction.
sub read ( $class, $statement, $unit, $ ) {
    my @wanted;
    until ( @wanted && ( !$statement->more || $statement->is_next( 'hold', 'through' ) ) ) {
        my ( $name, $version ) = split /=/,
            $statement->word( 'a package as NAME or NAME=VERSION', qr/$NAME(?:=$VERSION)?/ ), 2;
        $unit->claim( $statement, "package $name" );
        push @wanted, { name => $name, version => $version };
    }
    my $hold    = $statement->has('hold');
    my $through = through( $statement, $unit );
    my $last    = $unit->last_directive;
    my $new     = !$last || !$last->isa($class) || $last->{through} ne $through;
    my $self    = $new ? $class->new( $statement, packages => [], through => $through ) : $last;
    $_->{hold} = $hold for @wanted;
    push @{ $self->{packages} }, @wanted;
    return $new ? $self : undef;
}

# A program of the unit that runs the package manager, e.g. to answer what a package asks on its terminal; '' for none.
sub through ( $statement, $unit ) {
    return '' if !$statement->has('through');
    my $path = $statement->path;
    $statement->wrong("`through $path`: no line above makes it") if !$unit->claims($path);
    return $path;
}

sub names ($self) {
    return map { $_->{name} } @{ $self->{packages} };
}

sub label ($self) { return 'package ' . join ' ', $self->names }

sub inventory ($self) {
    return map { "hold $_->{name}" } grep { $_->{hold} } @{ $self->{packages} };
}

sub differences ( $self, $unit ) {
    Dpkg::load( $self->names );
    return map { ( install_difference($_), hold_difference($_) ) } @{ $self->{packages} };
}

sub install_difference ($package) {
    my ( $name, $version ) = @$package{qw(name version)};
    my $state = Dpkg::state($name);
    my $is    = $state->{version} // '';
    return Directive::difference( "package $name missing", "package $name installed" ) if !$state->{installed};
    return if !defined $version || $version eq $is;
    return Directive::difference( "package $name $is, want $version", "package $name $is, now $version" );
}

sub hold_difference ($package) {
    return if !$package->{hold} || Dpkg::state( $package->{name} )->{held};
    return Directive::difference( "package $package->{name} not held", "package $package->{name} held" );
}

sub fix ( $self, $unit, @differences ) {
    my @wrong = grep { install_difference($_) } @{ $self->{packages} };
    if (@wrong) {
        my @targets = map  { defined $_->{version} ? "$_->{name}=$_->{version}" : $_->{name} } @wrong;
        my @present = grep { Dpkg::state($_)->{installed} } map { $_->{name} } @wrong;
        my @held    = grep { Dpkg::state($_)->{held} } @present;
        $unit->say("installing @targets");
        Apt::mark( 'unhold', @held ) if @held;
        Apt::install( $unit, $self->{through}, \@targets, @present ? '--allow-downgrades' : () );
        Apt::mark( 'hold', @held ) if @held;
    }
    my @unheld = grep { hold_difference($_) } @{ $self->{packages} };
    Apt::mark( 'hold', map { $_->{name} } @unheld ) if @unheld;
    $self->say_done( $unit, @differences );
}

package Directive::Deb;
use Fcntl ':mode';
our @ISA = ('Directive');
Directive::register( deb => __PACKAGE__ );

use constant CACHE => '/var/cache/hastack';

sub read ( $class, $statement, $unit, $ ) {
    my $self = $class->new(
        $statement,
        name    => $statement->word( 'a package name',                     $NAME ),
        version => $statement->word( 'a version',                          $VERSION ),
        sha256  => $statement->word( 'a digest as sha256:64 hex digits',   qr/sha256:[0-9a-f]{64}/ ) =~ s/sha256://r,
        source  => $statement->word( 'an http(s) URL or an absolute path', qr{(?:https?://|/)[!-~]+} ),
    );
    $self->{through} = Directive::Packages::through( $statement, $unit );
    $unit->claim( $statement, "package $self->{name}" );
    return $self;
}

sub label ($self) { return "deb $self->{name}" }

sub differences ( $self, $unit ) { return Directive::Packages::install_difference($self) }

sub fix ( $self, $unit, @differences ) {
    my $file = $self->fetched($unit);
    my ( $name, $version ) = split /\n/,
        Process::capture( 'dpkg-deb', '--show', '--showformat=${Package}\n${Version}\n', $file );
    Failure::throw("$self->{source} holds $name $version, and the line says $self->{name} $self->{version}")
        if "$name $version" ne "$self->{name} $self->{version}";
    $unit->say("installing $self->{name} $self->{version} from $self->{source}");
    Apt::install( $unit, $self->{through}, [$file], '--allow-downgrades', '--allow-change-held-packages' );
    unlink $file;
    $self->say_done( $unit, @differences );
}

# A copy of the package file that nobody else can change, its digest verified.
sub fetched ( $self, $unit ) {
    Disk::make_private(CACHE);
    my $file = CACHE . "/$self->{sha256}.deb";
    unlink $file;
    if ( $self->{source} =~ m{\A/} ) {
        Failure::throw("there is no file $self->{source} on this host") if !-f $self->{source};
        Process::capture( 'cp', '--', $self->{source}, $file );
    }
    else {
        $unit->say("downloading $self->{source}");
        my @fetch = qw(/usr/lib/apt/apt-helper -o APT::Sandbox::User=root -o Acquire::Retries=1 download-file);
        my $done  = Process::run( [ @fetch, $self->{source}, $file ] );
        Failure::throw( "cannot download $self->{source}: " . Apt::complaint($done) ) if $done->{code};
    }
    my $is = Disk::digest($file) // '';
    return $file if $is eq $self->{sha256};
    unlink $file;
    Failure::throw(
        "$self->{source} has SHA-256 $is, not $self->{sha256}: it is not the file that was meant; nothing was installed"
    );
}
