# The command line.
package Main;
use POSIX ();

my $USAGE = <<"END";
usage: converge COMMAND

  apply UNIT SECRETS TOKEN...   makes this host match the unit text on standard input
  check [UNIT...]               says, as JSON, what differs from the texts last applied; changes nothing
  secrets UNIT DIGEST [TOKEN]   stores the secrets of a unit: lines `NAME BASE64` and `end` on standard input
  forget UNIT                   forgets the secrets of a unit, and nothing else of it
  remove UNIT [--purge]         removes what a unit put here; its data only with --purge
  preflight UNIT                says, as JSON, what the text on standard input asks of this host; changes nothing
  facts                         describes this host as JSON
  probe                         facts, check, texts last applied and ends of certificates in one JSON object
  install                       installs this very file as ${\Converge::INSTALLED}

exit codes: 0 done or in order, 1 failed, 2 wrong usage or text, 7 (check, probe) something differs
version ${\Converge::VERSION}
END

my %COMMANDS = (
    apply     => \&apply,
    check     => \&check,
    preflight => \&preflight,
    secrets   => \&secrets,
    forget    => \&forget,
    remove    => \&remove,
    facts     => \&facts,
    probe     => \&probe,
    install   => \&install,
);

sub main (@arguments) {
    $|                 = 1;
    $Converge::BY_SUDO = defined $ENV{SUDO_UID};
    %ENV               = Converge::ENVIRONMENT;
    @SIG{qw(PIPE HUP)} = ('IGNORE') x 2;           # a lost connection must not leave a host half done

    my $command = shift @arguments // return usage();
    if ( grep { $_ eq '--help' || $_ eq '-h' } $command, @arguments ) {
        print $USAGE;
        return Converge::OK;
    }
    my $code   = $COMMANDS{$command} // return usage("unknown command `$command`");
    my $result = eval {
        Failure::throw('it has to run as root: use `sudo -n`') if $> != 0;
        $code->(@arguments);
    };
    return $result if defined $result;
    my $failure = Failure::of($@);
    Report::error( join ': ', grep { defined } ( $command eq 'apply' ? $arguments[0] : undef ), $failure->{message} );
    return $failure->{code};
}

sub usage ( $complaint = undef ) {
    Report::error($complaint) if defined $complaint;
    print STDERR $USAGE;
    return Converge::USAGE;
}

sub apply ( $unit = undef, $secrets = undef, @token ) {
    return usage('apply UNIT SECRETS TOKEN...') if !@token;
    Apply::apply( unit_name($unit), digest($secrets), token(@token), standard_input() );
    return Converge::OK;
}

sub check (@units) {
    my $units = Check::units( map { unit_name($_) } @units );
    return answer( {}, $units );
}

sub probe (@rest) {
    return usage('probe takes no arguments') if @rest;
    my $units = Check::units();
    for my $name ( grep { exists $units->{$_} } State::units() ) {
        my $applied = State::applied($name);
        @{ $units->{$name} }{qw(text secrets)} = ( State::get( $name, 'text' ), $applied->{secrets} );
    }
    return answer( { facts => Facts::all(), certificates => Check::certificates() }, $units );
}

sub answer ( $also, $units ) {
    print Json::encode( { %$also, agent => installed_version(), units => $units } ), "\n";
    return Check::in_order($units) ? Converge::OK : Converge::DRIFT;
}

sub preflight ( $unit = undef, @rest ) {
    return usage('preflight UNIT') if !defined $unit || @rest;
    print Json::encode( Conditions::of( unit_name($unit), standard_input() ) ), "\n";
    return Converge::OK;
}

sub facts (@rest) {
    return usage('facts takes no arguments') if @rest;
    print Json::encode( Facts::all() ), "\n";
    return Converge::OK;
}

sub secrets ( $unit = undef, $digest = undef, @token ) {
    return usage('secrets UNIT DIGEST [TOKEN...]') if !defined $digest;
    my @lines = split /\n/, standard_input();
    Failure::throw(
        'the last line is not `end`: the secrets did not arrive whole, nothing was stored. Run again',
        Converge::USAGE
    ) if !@lines || pop @lines ne 'end';
    my @names = Secrets::store( unit_name($unit), digest($digest), token(@token), \@lines );
    Report::line( join ' ', "$unit: secrets stored:", @names );
    return Converge::OK;
}

# A unit that was never applied, or needs no secrets any more, must not leave any behind.
sub forget ( $unit = undef, @rest ) {
    return usage('forget UNIT') if !defined $unit || @rest;
    State::forget_secrets( unit_name($unit) );
    Report::line("$unit: secrets forgotten");
    return Converge::OK;
}

sub remove ( $unit = undef, @options ) {
    return usage('remove UNIT [--purge]') if !defined $unit || @options > 1 || grep { $_ ne '--purge' } @options;
    Apply::remove( unit_name($unit), scalar @options );
    return Converge::OK;
}

sub install (@rest) {
    return usage('install takes no arguments') if @rest;
    my $source = Disk::content($0) // Failure::throw('install needs a file: run `perl FILE install`');
    my $step   = '';
    for my $name ( split m{/}, Disk::parent(Converge::INSTALLED) ) {
        $step .= "$name/";
        -d $step or mkdir( $step, 0755 ) && chmod( 0755, $step ) or Failure::throw("cannot make $step: $!");
    }
    Disk::replace( Converge::INSTALLED, $source, 0755 ) if ( Disk::content(Converge::INSTALLED) // '' ) ne $source;
    Report::line( 'converge ' . Converge::VERSION . ' installed' );
    return Converge::OK;
}

# This program may have come through a pipe: what a caller wants to know is which one stays on the host.
sub installed_version () {
    my ($version) = ( Disk::content(Converge::INSTALLED) // '' ) =~ /^    VERSION   => '(\w+)'/m;
    return $version // '';
}

sub unit_name ($name) {
    return $name if $name =~ /\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z/ && $name !~ /\.secrets\z/;
    Failure::throw(
        "`$name` is no name of a unit: letters, digits, `.`, `_`, `-`, and not `….secrets`",
        Converge::USAGE
    );
}

sub digest ($digest) {
    return $digest if $digest =~ m{\A[A-Za-z0-9._:=+/-]{1,128}\z};
    Failure::throw( "`$digest` is no digest of secrets (or `-` for none)", Converge::USAGE );
}

sub token (@words) {
    my $token = "@words";
    Failure::throw( 'a token is one line', Converge::USAGE ) if $token =~ /[[:cntrl:]]/;
    return $token;
}

sub standard_input () {
    Failure::throw( 'the text is read from standard input, and that is a terminal', Converge::USAGE ) if -t STDIN;
    return Disk::read_all( \*STDIN, 'standard input' );
}

# Not `exit`: with nobody left to read the output that would end in an error of its own.
POSIX::_exit( main(@ARGV) );
