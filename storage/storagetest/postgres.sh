# A PostgreSQL that lives as long as this script's standard input is open.
# $1: directory of its programs; $2: a directory of our own, removed at the end.
trap '' INT TERM # Ctrl-C reaches the whole process group: the end of the input is what counts
tools=$1 dir=$2
stop() {
	"$tools/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1
	cd / && rm -rf "$dir"
}
fail() {
	tr '\n' ' ' <"$dir/log"
	stop
	exit 1
}
"$tools/initdb" -D "$dir/data" -U tegata -A trust -E UTF8 --locale=C --no-sync >"$dir/log" 2>&1 || fail
"$tools/pg_ctl" -D "$dir/data" -l "$dir/log" -w -o "-k '$dir' -c listen_addresses= -c max_connections=200 \
	-c fsync=off -c full_page_writes=off -c shared_buffers=64MB" start >>"$dir/log" 2>&1 || fail
echo ready
cat >/dev/null
stop
