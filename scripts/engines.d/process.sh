# Processes of engines: ports, process ids, start and end. A node is a number from 0; DIR/ports has a line for each.
# shellcheck shell=bash

nodes_of() { seq 0 $(($(wc -l <"$1/ports") - 1)); }

# port_of DIR NODE [2]: the node's port; 2 is that of its controller, where it has one.
port_of() { sed -n "$(($2 + 1))p" "$1/ports" | cut -d ' ' -f "${3:-1}"; }

addresses() {
	local node list=''
	for node in $(nodes_of "$1"); do list=$list${list:+,}127.0.0.1:$(port_of "$1" "$node"); done
	echo "$list"
}

# Ports are below those that the system gives away by itself.
first_port=10000 port_count=10000

# choose_ports DIR N: ports that nobody listens on, and that no other engine of this user has chosen whose folder is still
# there: a node that is slow, or killed, finds its port free.
choose_ports() {
	local port found=0 taken=$cache/ports
	mkdir -p "$taken"
	(
		! command -v flock >/dev/null || flock 7
		while [ "$found" -lt "$2" ]; do
			port=$((first_port + RANDOM % port_count))
			if [ -e "$taken/$port" ] && [ -e "$(cat "$taken/$port")" ]; then continue; fi
			if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then continue; fi
			echo "$1" >"$taken/$port"
			echo "$port"
			found=$((found + 1))
		done
	) 7>"$taken/lock"
}

# release_ports DIR: what was chosen for it is free again.
release_ports() {
	local port
	for port in $(cat "$1/ports"); do rm -f "$cache/ports/$port"; done
}

# alive DIR NODE: does the process of the pid file run, and is it this node and not another that got its number?
alive() {
	local pid tool
	[ -s "$1/$2.pid" ] || return 1
	tool=$(cat "$1/way" 2>/dev/null || echo direct)
	if [ "$tool" != direct ]; then
		container_alive "$tool" "$1" "$2"
		return
	fi
	pid=$(cat "$1/$2.pid")
	case $(ps -ww -o args= -p "$pid" 2>/dev/null || true) in *"$1/"*) ;; *) return 1 ;; esac
}

# spawn DIR NODE COMMAND...: start in the background, in a session of its own: an interrupt at the terminal is not for it.
spawn() {
	local dir=$1 node=$2
	shift 2
	setsid nohup "$@" >>"$dir/$node.log" 2>&1 </dev/null 8>&- 9>&- &
	echo $! >"$dir/$node.pid"
	# Until it is the program that it is to be, alive would take it for another.
	until alive "$dir" "$node" || ! kill -0 $! 2>/dev/null; do sleep 0.01; done
}

# ask_to_end DIR NODE [SIGNAL]
ask_to_end() {
	alive "$1" "$2" || return 0
	case $(cat "$1/way") in
	direct) kill -"${3:-TERM}" "$(cat "$1/$2.pid")" 2>/dev/null || true ;; # it may just have ended by itself
	*) container_stop "$1" "$2" ;;
	esac
}

# await_end DIR NODE SECONDS: who is not gone by then is killed, and that is said.
await_end() {
	local try
	for try in $(seq $(($3 * 10))); do
		if ! alive "$1" "$2"; then
			rm -f "$1/$2.pid"
			return
		fi
		sleep 0.1
	done
	echo "engines: node $2 in $1 did not stop within $((try / 10)) s and is killed" >&2
	kill -9 "$(cat "$1/$2.pid")" || true
	rm -f "$1/$2.pid"
}

# pids_of DIR: the process ids of all nodes; none of containers, which may be on another machine.
pids_of() {
	local node
	[ "$(cat "$1/way")" = direct ] || return 0
	for node in $(nodes_of "$1"); do cat "$1/$node.pid"; done
}

# all_alive DIR: do all nodes run?
all_alive() {
	local node
	for node in $(nodes_of "$1"); do
		alive "$1" "$node" || return 1
	done
}
