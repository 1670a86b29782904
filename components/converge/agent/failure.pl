# An error the user can act on: a message and the exit code it leads to.
package Failure;

sub throw ( $message, $code = Converge::FAILED ) {
    die bless { message => $message, code => $code }, 'Failure';
}

# Runs CODE; a failure inside it gets `PREFIX: ` in front, so that the outermost message reads like an address.
sub within ( $prefix, $code ) {
    my @result;
    return wantarray ? @result : $result[0] if eval { @result = $code->(); 1 };
    my $failure = of($@);
    throw( "$prefix: $failure->{message}", $failure->{code} );
}

# Any exception as a Failure: also Perl's own, which name a fault in this program.
sub of ($exception) {
    return $exception if ref $exception eq 'Failure';
    chomp $exception;
    return bless { message => "$exception (a fault in converge itself)", code => Converge::FAILED }, 'Failure';
}
