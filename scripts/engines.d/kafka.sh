# Apache Kafka 4.1.0 without ZooKeeper: each node is a broker and a controller. The jars are Maven artifacts, and what
# they depend on; kafka.sha256 vouches for all of them.
# shellcheck shell=bash

kafka_version=4.1.0

kafka_lacks() {
	local version
	command -v java >/dev/null || { echo "java is missing (17 or newer)" && return; }
	version=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
	[ "${version:-0}" -ge 17 ] || { echo "java is ${version:-of an unknown version}, 17 or newer is wanted" && return; }
	command -v python3 >/dev/null || { echo "python3 is missing" && return; }
	command -v setsid >/dev/null || { echo "setsid is missing" && return; }
	[ -e "$cache/kafka-$kafka_version/.complete" ] || command -v mvn >/dev/null || echo "mvn (Maven) is missing"
}

# What Maven got so far stays in its own repository on this machine: a second attempt goes on from there.
kafka_install() {
	local jars=$cache/kafka-$kafka_version fresh
	[ ! -e "$jars/.complete" ] || return 0
	echo "engines: fetching Kafka $kafka_version (once, 54 MB)" >&2
	fresh=$(mktemp -d "$cache/kafka.XXXXXX")
	# shellcheck disable=SC2064
	trap "rm -rf '$fresh'" EXIT
	kafka_pom >"$fresh/pom.xml"
	mvn --batch-mode --quiet --file "$fresh/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
		-DoutputDirectory="$fresh/jars" >"$fresh/log" 2>&1 || { cat "$fresh/log" >&2 && return 1; }
	(cd "$fresh/jars" && sha256sum --check --strict --quiet "$home/kafka.sha256") >&2
	[ "$(cd "$fresh/jars" && printf '%s\n' * | LC_ALL=C sort)" = "$(awk '{ print $2 }' "$home/kafka.sha256" | LC_ALL=C sort)" ] || {
		echo "engines: Maven fetched other jars than kafka.sha256 lists" >&2
		return 1
	}
	touch "$fresh/jars/.complete"
	rm -rf "$jars"
	mv "$fresh/jars" "$jars"
}

kafka_pom() {
	local artifact
	echo '<project><modelVersion>4.0.0</modelVersion><groupId>passbook</groupId><artifactId>engines</artifactId><version>1</version><dependencies>'
	for artifact in org.apache.kafka:kafka_2.13:$kafka_version org.apache.kafka:kafka-tools:$kafka_version org.slf4j:slf4j-simple:1.7.36; do
		IFS=: read -r group name version <<<"$artifact"
		echo "<dependency><groupId>$group</groupId><artifactId>$name</artifactId><version>$version</version></dependency>"
	done
	echo '</dependencies></project>'
}

# kafka_prepare DIR WAY: the settings of each node. A broker that was killed is missed after 3 s instead of 9. Groups have
# the times of production, and may be given shorter ones of their own. What is compacted is looked for each second. Brokers
# talk to each other past the proxies, if there are any.
kafka_prepare() {
	local node data=$1/data voters='' copies=1 insync=1 pairs pair
	IFS=, read -r -a pairs <<<"${proxied:-}"
	[ "$2" = direct ] || data=/var/lib/kafka/data/data
	[ "$(wc -l <"$1/ports")" -lt 3 ] || copies=3 insync=2
	for node in $(nodes_of "$1"); do voters=$voters${voters:+,}$node@127.0.0.1:$(port_of "$1" "$node" 2); done
	# The first bit is 0: an id that begins with "-" is taken for an option.
	python3 -c 'import base64, os; b = os.urandom(16); print(base64.urlsafe_b64encode(bytes([b[0] & 127]) + b[1:]).decode().rstrip("="))' >"$1/cluster"
	for node in $(nodes_of "$1"); do
		mkdir -p "$1/config-$node"
		pair=${pairs[node]:-}
		cat >"$1/config-$node/server.properties" <<-P
			process.roles=broker,controller
			node.id=$node
			controller.quorum.voters=$voters
			controller.listener.names=CONTROLLER
			listeners=PLAINTEXT://127.0.0.1:$(port_of "$1" "$node"),CONTROLLER://127.0.0.1:$(port_of "$1" "$node" 2)${pair:+,PROXIED://${pair%=*}}
			advertised.listeners=PLAINTEXT://127.0.0.1:$(port_of "$1" "$node")${pair:+,PROXIED://${pair#*=}}
			listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT
			log.dirs=$data-$node
			default.replication.factor=$copies
			min.insync.replicas=$insync
			offsets.topic.replication.factor=$copies
			offsets.topic.num.partitions=5
			transaction.state.log.replication.factor=$copies
			transaction.state.log.min.isr=$insync
			transaction.state.log.num.partitions=5
			group.initial.rebalance.delay.ms=0
			broker.session.timeout.ms=3000
			broker.heartbeat.interval.ms=500
			group.consumer.min.session.timeout.ms=1000
			group.consumer.min.heartbeat.interval.ms=100
			log.cleaner.backoff.ms=1000
		P
		# What a test wants beside it, as listeners of its own; of a setting that is named twice the later one counts.
		[ -z "${PASSBOOK_ENGINES_KAFKA_PROPERTIES:-}" ] ||
			sed "s/{port}/$(port_of "$1" "$node")/g; s/{controller}/$(port_of "$1" "$node" 2)/g" \
				"$PASSBOOK_ENGINES_KAFKA_PROPERTIES" >>"$1/config-$node/server.properties"
	done
}

kafka_node() {
	local heap=320m
	[ -z "${roomy:-}" ] || heap=1g
	local java=(java -cp "$cache/kafka-$kafka_version/*" -Xms64m "-Xmx${heap}" -XX:+UseSerialGC -Dorg.slf4j.simpleLogger.defaultLogLevel=warn)
	local config=$1/config-$2/server.properties
	[ -z "${nosync:-}" ] || java+=(-XX:TieredStopAtLevel=1)
	if [ ! -e "$1/data-$2/meta.properties" ]; then
		"${java[@]}" kafka.tools.StorageTool format --ignore-formatted -t "$(cat "$1/cluster")" -c "$config" >>"$1/$2.log" 2>&1 ||
			{ tail -n 20 "$1/$2.log" >&2 && return 1; }
	fi
	spawn "$1" "$2" "${java[@]}" kafka.Kafka "$config"
}

# The last of three brokers finds no majority any more that lets it go, and would wait for minutes. What it holds is in the
# files by then.
kafka_stop_patience() { echo 15; }

kafka_container_options() { printf '%s\n' --volume "$1/config-$2:/mnt/shared/config:ro" --env "CLUSTER_ID=$(cat "$1/cluster")"; }
kafka_container_arguments() { :; }

kafka_ready() { pids_of "$1" | xargs python3 "$home/ready.py" kafka "$(addresses "$1")"; }

kafka_url() { addresses "$1"; }
