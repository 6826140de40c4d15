// Package archive writes the whole of an event store to a file and fills an
// empty store from one. A store's events and idempotency keys come in and lines
// of JSON go out, or the other way round.
//
// The file is text in UTF-8, one JSON object a line, each line ended by "\n":
//
//	{"passbook":"events","format":1,"history":…,"program":…,"time":…,"head":N}
//	{"position":1,"stream":…,"version":0,"id":…,"type":…,"schema":1,"timeMicros":…,"data":…}
//	… positions 1 to N, without a gap, so that the events of a command stay together …
//	{"end":{"events":N,"keys":K,"sha256":…}}
//
// An event has further members where there is something to say: category,
// correlationId, causationId, actor, traceParent, imported; and, on the last
// event of a command that came with an idempotency key, key, which holds client,
// value, requestHash and result. timeMicros counts microseconds since 1970, UTC.
// The checksum is that of all bytes before the last line.
//
// Bytes are exact. A payload or result that is JSON stands in the line as it is,
// as long as it reads back the same; otherwise it is dataBase64 or resultBase64.
// A text that is not UTF-8 is {"base64":…} in place of a string. There is one way
// to write each line, and a reader takes no other.
//
//	line.go      one event as a line, and back
//	text.go      texts and payloads within a line
//	frame.go     the first line and the last
//	export.go    Export: from a store to a file
//	read.go      reading a file, with everything that can be wrong with it
//	seen.go      what may be in the file once only
//	import.go    Check and Import: from a file to a store
//	fill.go      Fill: from any history to a store
package archive
