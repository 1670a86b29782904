# `converge preflight`: what a text asks of this host before it changes anything, all of it, and each with its answer.
package Conditions;

sub of ( $name, $text ) {
    my $unit = Unit::parse( $name, $text );
    $unit->{secret_values} = Secrets::load($name)->{values};
    return {
        conditions => [ map { answer( $_, $unit ) } grep { $_->can('preflight') } @{ $unit->{directives} } ],
        packages   => [ map { wanted($_) } map { @{ $_->{packages} } } $unit->all('Directive::Packages') ],
    };
}

# A script that needs a secret which is not on this host yet cannot be asked.
sub answer ( $directive, $unit ) {
    my @secrets = Secrets::names( $directive->{script} // '', sub { } );
    return if grep { !exists $unit->{secret_values}{$_} } @secrets;
    my $complaint = eval { $directive->preflight($unit); 1 } ? undef : Failure::of($@)->{message};
    return { asks => $directive->{message} // $directive->label, complaint => defined $complaint ? Report::redacted($complaint) : undef };
}

sub wanted ($package) {
    return defined $package->{version} ? "$package->{name}=$package->{version}" : $package->{name};
}
