package archtest

import (
	"slices"
	"strings"
)

// Room is a folder of the module with one subject. Folders named internal below it belong to it.
type Room struct {
	Path string
	Is   string   // the one sentence that says what it is for
	May  []string // what it may import of ours; "contract/..." stands for every room below contract

	// Suite marks test code that other rooms import: only tests and other suites may import it, and it may use test
	// libraries although it lies in the toolkit.
	Suite bool
}

// Rooms is the import table of the architecture page: every room, its one sentence and what it may import of ours.
func Rooms() []Room {
	return slices.Concat(toolkit(), engines(), contracts(), application(), surroundings())
}

func toolkit() []Room {
	return []Room{
		{Path: "es/event", Is: "envelope, type names, codec, schema versions, upcasters"},
		{Path: "es/query", Is: "mediator for queries: one type, one handler, middleware around it"},
		{Path: "es/run", Is: "the one function that runs everything with Run(ctx) error"},
		{Path: "es/command", Is: "mediator for commands", May: []string{"es/event"}},
		{Path: "es/checkpoint", Is: "how far a reader has come", May: []string{"es/event"}},
		{Path: "es/bus", Is: "publisher and subscriber contracts", May: []string{"es/event"}},
		{Path: "es/eventstore", Is: "the store over a small engine", May: []string{"es/event"}},
		{
			Path: "es/aggregate", Is: "state rebuilt from history, and the repository that appends to it",
			May: []string{"es/event", "es/eventstore"},
		},
		{
			Path: "es/relay", Is: "committed events to the bus, in order, at least once, resumable",
			May: []string{"es/event", "es/eventstore", "es/bus", "es/checkpoint"},
		},
		{
			Path: "es/projection", Is: "events into a read model, effectively once",
			May: []string{"es/event", "es/bus", "es/checkpoint"},
		},
		{
			Path: "es/replay", Is: "the same road from position one, beside the live one",
			May: []string{"es/event", "es/eventstore", "es/bus", "es/checkpoint", "es/projection"},
		},
		{
			Path: "es/verify", Is: "store, feed and read model compared",
			May: []string{"es/event", "es/eventstore", "es/bus", "es/checkpoint", "es/projection"},
		},
		{
			Path: "es/archive", Is: "the whole store as a file, and back",
			May: []string{"es/event", "es/eventstore"},
		},
		{
			Path: "es/estest", Is: "given, when, then for aggregates", Suite: true,
			May: []string{"es/event", "es/aggregate"},
		},
		{
			Path: "es/eventstore/eventstoretest", Is: "the suite that every store engine passes", Suite: true,
			May: []string{"es/event", "es/eventstore"},
		},
		{
			Path: "es/bus/bustest", Is: "the suite that every bus passes", Suite: true,
			May: []string{"es/event", "es/bus"},
		},
		{
			Path: "es/checkpoint/checkpointtest", Is: "the suite that every store of checkpoints and leases passes", Suite: true,
			May: []string{"es/event", "es/checkpoint"},
		},
		{
			Path: "es/projection/projectiontest", Is: "the suite that every store of a projection passes", Suite: true,
			May: []string{"es/event", "es/bus", "es/checkpoint", "es/projection"},
		},
	}
}

func engines() []Room {
	contracts := []string{"es/event", "es/eventstore", "es/bus", "es/checkpoint", "es/projection"}
	return []Room{
		{Path: "engine/memory", Is: "every contract in memory, for tests and examples", May: contracts},
		{Path: "engine/sqlite", Is: "store and read side on embedded SQLite", May: contracts},
		{Path: "engine/mongodb", Is: "the store on MongoDB", May: contracts},
		{Path: "engine/mysql", Is: "the read side on MySQL", May: contracts},
		{Path: "engine/kafka", Is: "the bus on the Kafka protocol", May: contracts},
		{Path: "engine/broker", Is: "an embedded Kafka-protocol server, which knows bytes, not events"},
	}
}

func contracts() []Room {
	return []Room{
		{Path: "contract/account", Is: "event structs, stable names and versions, money, legacy names"},
	}
}

func application() []Room {
	writeSide := []string{
		"bank/account", "bank/events", "contract/...",
		"es/command", "es/aggregate", "es/event", "es/eventstore", "es/bus",
	}
	// The read side gets events from the bus alone: nothing here that could read the store or decide.
	readSide := []string{
		"bank/events", "contract/...",
		"es/event", "es/query", "es/bus", "es/checkpoint", "es/projection", "es/replay", "es/verify", "es/run",
	}
	return []Room{
		{
			Path: "bank/account", Is: "the aggregate: pure, no clock, no input or output",
			May: []string{"contract/...", "es/event", "es/command", "es/aggregate"},
		},
		{Path: "bank/web", Is: "the HTTP ground of the APIs"},
		{Path: "bank/events", Is: "the one codec of the bank's events", May: []string{"contract/...", "es/event"}},
		{Path: "bank/migration", Is: "a service's own tables, brought to their newest schema"},
		{Path: "bank/access", Is: "who may call, and how often", May: []string{"bank/web", "es/event"}},
		{
			Path: "bank/consumers", Is: "progress and parked streams of consumers over HTTP",
			May: []string{"bank/web", "es/event", "es/projection"},
		},
		{Path: "bank/commandapi", Is: "HTTP to commands", May: append([]string{"bank/web"}, writeSide...)},
		{Path: "bank/legacy", Is: "bridge to the Java original", May: append([]string{"es/checkpoint"}, writeSide...)},
		{
			Path: "bank/legacy/takeover", Is: "the Java original's event store, checked, corrected and taken over",
			May: []string{"bank/account", "bank/events", "contract/...", "es/event", "es/eventstore", "es/archive"},
		},
		{Path: "bank/client", Is: "what the command line, the demo and the bench call the APIs with", May: []string{"contract/..."}},
		{Path: "bank/readmodel", Is: "the projection of accounts, and its SQL", May: append([]string{"bank/migration"}, readSide...)},
		{Path: "bank/queryapi", Is: "queries to HTTP", May: append([]string{"bank/web", "bank/readmodel"}, readSide...)},
		{Path: "bank/notify", Is: "the notification service", May: append([]string{"bank/web", "bank/migration"}, readSide...)},
	}
}

func surroundings() []Room {
	ours := []string{"es/...", "engine/...", "contract/...", "bank/..."}
	return []Room{
		{Path: "console", Is: "the web console, embedded in the binary"},
		{Path: "bench", Is: "the load programs: figures beside their yardsticks", May: append([]string{"bench/load"}, ours...)},
		{Path: "bench/load", Is: "puts load on something and measures it; knows nothing of what it measures"},
		{Path: "cmd/passbook", Is: "the only place that wires", May: append([]string{"console", "bench"}, ours...)},
		{Path: "test/scenario", Is: "scripts that drive the whole system", Suite: true, May: ours},
		{Path: "test/e2e", Is: "the built binary from outside", Suite: true, May: ours},
		{Path: "test/crash", Is: "kill, restart, compare", Suite: true, May: ours},
		{Path: "test/cluster", Is: "many processes on real engines, broken and compared", Suite: true, May: ours},
		{Path: "test/compat", Is: "wire formats against the original's", Suite: true, May: ours},
		{Path: "test/deploy", Is: "what lies in deploy/, held against its tools, the program and real engines", Suite: true, May: ours},
		{Path: "test/docs", Is: "what the guides tell to run, run", Suite: true, May: ours},
		{Path: "internal/archtest", Is: "the rules of this tree as tests"},
		{Path: "internal/testreport", Is: "what a run of the tests did not test"},
		{
			Path: "internal/testenv", Is: "gives tests the real things: the program as a process, engines, the feed", Suite: true,
			May: []string{"es/event", "es/bus"},
		},
	}
}

// findRoom gives the room that a folder belongs to.
func findRoom(rooms []Room, dir string) (Room, bool) {
	if i := strings.Index(dir+"/", "/internal/"); i >= 0 {
		dir = dir[:i]
	}
	i := slices.IndexFunc(rooms, func(r Room) bool { return r.Path == dir })
	if i < 0 {
		return Room{}, false
	}
	return rooms[i], true
}

// covers tells whether a pattern of May stands for a room.
func covers(pattern, room string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "..."); ok {
		return strings.HasPrefix(room, prefix)
	}
	return pattern == room
}
