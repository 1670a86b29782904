# shellcheck shell=sh
# The application's database, role and rows, on the leader. Its password is kept as MD5, as PgBouncer's userlist needs it.
set -eu
cd /
runuser -u postgres -- psql -Xq -v ON_ERROR_STOP=1 <<'EOF'
SET password_encryption = 'md5';
CREATE DATABASE workspad;
CREATE USER workspad WITH PASSWORD 'jhYg/=\F';
GRANT ALL PRIVILEGES ON DATABASE workspad TO workspad;
\connect workspad
GRANT ALL ON SCHEMA public TO workspad;
SET SESSION AUTHORIZATION workspad;
CREATE TABLE documents (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO documents SELECT n, 'document ' || n FROM generate_series(1, 10000) n;
EOF
