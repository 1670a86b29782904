# `sysctl KEY VALUE`. All lines of a unit make one file, which sets the values at boot; here they are set at once.
package Directive::Sysctl;
our @ISA = ('Directive');
Directive::register( sysctl => __PACKAGE__ );

sub read ( $class, $statement, $unit, $ ) {
    my $key   = $statement->word( 'a kernel parameter, e.g. vm.swappiness', qr{[a-z0-9_]+(?:[./][A-Za-z0-9_:*-]+)+} );
    my @value = $statement->word('a value');
    push @value, $statement->word('a value') while $statement->more;
    $unit->claim( $statement, "sysctl $key" );
    my ($self) = $unit->all($class);
    my $new = !$self;
    $self //= $class->new( $statement, path => boot_file( $unit->{name} ), settings => [] );
    push @{ $self->{settings} }, { key => $key, value => normal("@value") };
    return $new ? $self : undef;
}

sub boot_file ($unit) { return "/etc/sysctl.d/60-hastack-$unit.conf" }

sub normal ($value) { return join ' ', split ' ', $value }

# As sysctl(8) reads a key: if its first separator is a slash, dots are part of names.
sub kernel_file ($key) {
    return '/proc/sys/' . ( $key =~ m{\A[^./]*/} ? $key : $key =~ tr{./}{/.}r );
}

sub label ($self) { return 'sysctl' }

sub inventory ($self) { return ("sysctl $self->{path}") }

sub boot_content ($self) {
    return join '', "# Written by hastack. Changes here are undone by its next run.\n",
        map { "$_->{key} = $_->{value}\n" } @{ $self->{settings} };
}

sub differences ( $self, $unit ) {
    my @differences;
    push @differences, Directive::difference( "$self->{path} content", "$self->{path} written" )
        if ( Disk::content( $self->{path} ) // '' ) ne $self->boot_content;
    for my $setting ( @{ $self->{settings} } ) {
        my ( $key, $value ) = @$setting{qw(key value)};
        my $is  = Disk::content( kernel_file($key) );
        my $now = defined $is ? normal($is) : 'unknown to this kernel';
        push @differences, Directive::difference( "sysctl $key $now, want $value", "sysctl $key $now, now $value" )
            if $now ne $value;
    }
    return @differences;
}

sub fix ( $self, $unit, @differences ) {
    for my $setting ( @{ $self->{settings} } ) {
        my $file = kernel_file( $setting->{key} );
        my $is   = Disk::content($file)
            // Failure::throw(
            "$setting->{key}: this kernel has no such parameter (is a module missing, or the name wrong?)");
        next if normal($is) eq $setting->{value};
        my $kernel;
        open( $kernel, '>', $file ) && syswrite( $kernel, "$setting->{value}\n" )
            or Failure::throw("cannot set $setting->{key} to $setting->{value}: $!");
    }
    Disk::replace( $self->{path}, $self->boot_content, 0644 );
    $self->say_done( $unit, @differences );
}
