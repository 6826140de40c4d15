# MySQL from Debian's development suite, unpacked with all libraries that it needs. There is no checksum to pin, because
# that suite moves: apt's own signatures vouch for what comes.
# shellcheck shell=bash

# shellcheck source=apt_root.sh
. "$home/apt_root.sh"

mysql_lacks() {
	case $(uname -sm) in 'Linux x86_64') ;; *) echo "packages are taken for x86-64 Linux only, this is $(uname -sm)" && return ;; esac
	[ -e "$cache/mysql/.complete" ] || apt_root_lacks
}

mysql_install() {
	[ ! -e "$cache/mysql/.complete" ] || return 0
	echo "engines: fetching MySQL (once, about 30 MB)" >&2
	# Without what only mysqld_safe and other tools beside the server need.
	apt_root sid "$cache/mysql" '^(perl|libc-gconv|openssl-provider)' mysql-server-core >&2
}

mysql_roomy=(--innodb-redo-log-capacity=1G --innodb-buffer-pool-size=1G)
# A process that is killed loses nothing that way, a machine without power may.
mysql_nosync=(--innodb-flush-method=nosync --innodb-flush-log-at-trx-commit=2)

mysql_prepare() {
	cat >"$1/init.sql" <<-'S'
		CREATE USER IF NOT EXISTS 'passbook'@'%' IDENTIFIED BY 'passbook';
		GRANT ALL ON *.* TO 'passbook'@'%' WITH GRANT OPTION;
		CREATE DATABASE IF NOT EXISTS passbook;
		CREATE DATABASE IF NOT EXISTS passbook_notify;
	S
}

mysql_node() {
	local root=$cache/mysql server
	server=("$root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$root/usr/lib/x86_64-linux-gnu" --argv0 mysqld "$root/usr/sbin/mysqld"
		--no-defaults --basedir="$root/usr" --lc-messages-dir="$root/usr/share/mysql" --character-sets-dir="$root/usr/share/mysql/charsets"
		--plugin-dir="$root/usr/lib/mysql/plugin" --datadir="$1/data-$2" --tmpdir="$1/tmp" --secure-file-priv=NULL --user="$(id -un)"
		--innodb-redo-log-capacity=32M --innodb-buffer-pool-size=64M --performance-schema=OFF --skip-log-bin)
	if [ ! -e "$1/data-$2/.initialized" ]; then
		rm -rf "$1/data-$2"
		mkdir -p "$1/data-$2" "$1/tmp"
		"${server[@]}" --initialize-insecure >>"$1/$2.log" 2>&1 || { tail -n 20 "$1/$2.log" >&2 && return 1; }
		touch "$1/data-$2/.initialized"
	fi
	[ -z "${roomy:-}" ] || server+=("${mysql_roomy[@]}")
	[ -z "${nosync:-}" ] || server+=("${mysql_nosync[@]}")
	# The name of the socket is within the data: a whole path could be too long. A killed server leaves it behind, and the
	# next one asks whether its process is there, which may be anybody by then.
	rm -f "$1/data-$2"/s.sock*
	spawn "$1" "$2" "${server[@]}" --init-file="$1/init.sql" --port="$(port_of "$1" "$2")" --bind-address=127.0.0.1 --mysqlx=OFF \
		--socket=s.sock --pid-file="$1/mysqld.pid"
}

mysql_stop_patience() { echo 60; }

mysql_container_options() { printf '%s\n' --volume "$1/init.sql:/docker-entrypoint-initdb.d/init.sql:ro" --env MYSQL_RANDOM_ROOT_PASSWORD=yes; }
mysql_container_arguments() { printf '%s\n' --port="$(port_of "$1" "$2")" --bind-address=127.0.0.1 --mysqlx=OFF ${roomy:+"${mysql_roomy[@]}"} ${nosync:+"${mysql_nosync[@]}"}; }

# The server speaks first, and not before the init file has run: its first byte says that user and database are there.
mysql_ready() {
	local try port
	port=$(port_of "$1" 0)
	for try in $(seq 1200); do
		all_alive "$1" || return 1
		if (exec 3<>"/dev/tcp/127.0.0.1/$port" && timeout 10 head -c 1 <&3 | grep -q .) 2>/dev/null; then return 0; fi
		sleep 0.1
	done
	echo "engines: MySQL says nothing after $((try / 10)) s" >&2
	return 1
}

# mysql_url DIR DATABASE
mysql_url() { echo "mysql://passbook:passbook@$(addresses "$1")/$2"; }
