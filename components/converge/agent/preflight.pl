# `require` and `port`: conditions that refuse an apply before it has changed anything. `check` does not ask them.
package Directive::Require;
our @ISA = ('Directive');
Directive::register( require => __PACKAGE__ );

use constant LIMIT => 30;

sub read ( $class, $statement, $unit, $ ) {
    my $self = $class->new( $statement, message => $statement->word('a message') );
    $self->{script} = $unit->template( $statement, 'the script' );
    return $self;
}

sub label ($self) { return 'require' }

sub preflight ( $self, $unit ) {
    my $done = Process::run_script( $unit->expand( $self->{script} ), LIMIT );
    return if $done->{code} == 0;
    my $said = Report::excerpt("$done->{output}\n$done->{errors}");
    Failure::throw( $self->{message} . ( $done->{timed_out} ? ' (no answer within ' . LIMIT . ' s)' : '' ) . $said );
}

package Directive::Port;
our @ISA = ('Directive');
Directive::register( port => __PACKAGE__ );

sub read ( $class, $statement, $unit, $ ) {
    my $port = $statement->word( 'a port from 1 to 65535', qr/[1-9][0-9]{0,4}/ );
    $statement->wrong("`port`: $port is not a port from 1 to 65535") if $port > 65535;
    my $service = Systemd::full_name( $statement->word( 'a service name', qr/[A-Za-z0-9:_.\\@-]+/ ) );
    return $class->new(
        $statement, port => $port, service => $service,
        purpose => $statement->word('what the port is for')
    );
}

sub label ($self) { return "port $self->{port}" }

sub preflight ( $self, $unit ) {
    for my $listener ( Network::listeners( $self->{port} ) ) {
        my $owner = $listener->{pid} // '';
        next if $owner && Network::in_service( $owner, $self->{service} );
        my $who = $owner ? "$listener->{process} (process $owner)" : 'something in another namespace';
        Failure::throw( "needed for $self->{purpose}, but $who already listens on $listener->{address}:$self->{port}: "
                . 'stop it, or choose another port' );
    }
}
