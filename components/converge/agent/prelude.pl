#!/usr/bin/perl
# hastack converge: makes this host match a unit's text, and says what differs. Reference: docs/converge.md.
# One program made of the parts in components/converge/agent; it needs nothing beyond perl-base.
use strict;
use warnings;
use feature 'signatures';
no warnings 'experimental::signatures';

package Converge;

use constant {
    VERSION   => '@AGENT_VERSION@',
    INSTALLED => '/usr/local/lib/hastack/converge',
    STATE     => '/var/lib/hastack',
    RUN       => '/run/hastack',
};

our $BY_SUDO;    # did the caller become root by sudo?

# Exit codes, as documented.
use constant { OK => 0, FAILED => 1, USAGE => 2, DRIFT => 7 };

# The little that every child process gets to know of its surroundings.
use constant ENVIRONMENT => (
    PATH => '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LANG => 'C.UTF-8',
    HOME => '/root',
);
