# A unit: the text of one role on one host, read into directives.
package Unit;

sub parse ( $name, $text ) {
    my $self = bless { name => $name, text => $text, directives => [], claimed => {}, secret_names => {} }, 'Unit';
    my @statements = Statement::all($text);
    while ( my $statement = shift @statements ) {
        my $class = Directive::class( $statement->{verb} )
            or $statement->wrong( "unknown directive `$statement->{verb}`; known: " . join ', ', Directive::verbs() );
        my $directive = $class->read( $statement, $self, \@statements );
        $statement->done;
        push @{ $self->{directives} }, $directive if $directive;
    }
    return $self;
}

# Called by directives while they are read: each thing has one line that says how it is to be.
sub claim ( $self, $statement, $thing ) {
    my $first = $self->{claimed}{$thing} // 0;
    $statement->wrong("$thing is already on line $first") if $first;
    $self->{claimed}{$thing} = $statement->{number};
}

sub claims ( $self, $thing ) { return exists $self->{claimed}{$thing} }

# Takes a statement's body, in which secrets may be named.
sub template ( $self, $statement, $what ) {
    my $body  = $statement->body($what);
    my $where = sub ( $before, $message ) {
        my $line = $statement->{number} + 1 + ( $before =~ tr/\n// );
        Failure::throw( "line $line: $message", Converge::USAGE );
    };
    $self->{secret_names}{$_} = 1 for Secrets::names( $body, $where );
    return $body;
}

# The directives of a class, in text order.
sub all ( $self, $class ) {
    return grep { $_->isa($class) } @{ $self->{directives} };
}

# The step that a list of triggers calls `step:NAME`.
sub step ( $self, $trigger ) {
    my ($step) = grep { ( $_->trigger // '' ) eq $trigger } @{ $self->{directives} };
    return $step;
}

sub last_directive ($self) { return $self->{directives}[-1] }

# Reads the host's values of the secrets that the text names.
sub load_secrets ($self) {
    my $secrets = Secrets::load( $self->{name} );
    my @unknown = grep { !exists $secrets->{values}{$_} } sort keys %{ $self->{secret_names} };
    Failure::throw(
        "secret @unknown is named in the text and not on this host: store it with `converge secrets $self->{name}`")
        if @unknown;
    $self->{secret_values} = $secrets->{values};
    return $secrets->{digest};
}

sub expand ( $self, $text ) { return Secrets::expand( $text, $self->{secret_values} ) }

sub say ( $self, $text ) { Report::line("$self->{name}: $text") }
