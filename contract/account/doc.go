// Package account is what the services may know of each other about accounts.
// Text from requests, settings and records comes in; checked values go out:
// money that is exact and within its limit, event payloads in the one form in
// which they are written, and fields that keep the published rules. Nothing
// here reads a clock, does I/O or holds state; every value is safe to copy and
// to use concurrently.
//
//	currency.go         a currency and its number of decimals
//	currency_table.go   the active codes of ISO 4217
//	money.go            amounts as integers of minor units; sums and limits
//	money_json.go       the wire form of money
//	amount.go           decimal text -> money, strict
//	legacy_amount.go    JSON numbers of version-1 clients <-> money
//	number.go           the grammar that both share
//	event.go            payloads, type names, schema versions
//	kind.go             account type and status
//	field.go            rules for text fields, ids and keys
//	legacy_names.go     what the Java original calls things
package account
