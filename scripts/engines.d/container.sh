# The way over containers, for machines where an engine cannot be had directly. Nodes share the machine's network, so
# ports, addresses and everything else are the same as there. Images are taken by their tag: nothing but the container
# engine vouches for them. Written without a container engine at hand: see scripts/engines.d/README.md.
# shellcheck shell=bash

container_tool() {
	local tool
	for tool in docker podman; do
		if command -v "$tool" >/dev/null && timeout 20 "$tool" info >/dev/null 2>&1; then
			echo "$tool"
			return
		fi
	done
	return 1
}

container_image() {
	case $1 in
	mongodb) echo mongo:6.0.5 ;;
	kafka) echo apache/kafka:4.1.0 ;;
	mysql) echo mysql:8.4 ;;
	esac
}

# container_name DIR NODE: names are the machine's, folders the user's.
container_name() { echo "passbook-engines-$(cksum <<<"$1" | cut -d ' ' -f 1)-$(basename "$1")-$2"; }

container_install() {
	"$2" image inspect "$(container_image "$1")" >/dev/null 2>&1 || "$2" pull --quiet "$(container_image "$1")" >/dev/null
}

# container_node ENGINE TOOL DIR NODE: one that was stopped or killed comes back with its data.
container_node() {
	local engine=$1 tool=$2 dir=$3 node=$4 name options
	name=$(container_name "$dir" "$node")
	if ! "$tool" start "$name" >/dev/null 2>&1; then
		mapfile -t options < <("${engine}_container_options" "$dir" "$node")
		mapfile -t arguments < <("${engine}_container_arguments" "$dir" "$node")
		"$tool" run --detach --name "$name" --network host "${options[@]}" "$(container_image "$engine")" "${arguments[@]}" >/dev/null
	fi
	"$tool" inspect --format '{{.State.Pid}}' "$name" >"$dir/$node.pid"
}

container_alive() { [ "$("$1" inspect --format '{{.State.Running}}' "$(container_name "$2" "$3")" 2>/dev/null)" = true ]; }

container_stop() { "$(cat "$1/way")" stop --time 50 "$(container_name "$1" "$2")" >/dev/null; }

container_remove() {
	local tool node
	tool=$(cat "$1/way")
	[ "$tool" != direct ] || return 0
	for node in $(nodes_of "$1"); do "$tool" rm --force --volumes "$(container_name "$1" "$node")" >/dev/null; done
}
