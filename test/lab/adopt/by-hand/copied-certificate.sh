# shellcheck shell=sh
# A further node gets the data-protection certificate and key of the first one, which stand on standard input.
set -eu
cd /opt/workspad/certificates
sed -n '/BEGIN CERTIFICATE/,/END CERTIFICATE/w dataprotection.crt
/BEGIN PRIVATE KEY/,/END PRIVATE KEY/w dataprotection.key'
systemctl restart workspad-gateway
