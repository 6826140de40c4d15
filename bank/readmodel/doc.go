// Package readmodel is the bank's read model: the rows that queries are answered
// from. Events of accounts flow in through a projection, which calls [Model] in
// its transactions; accounts flow out through a [Reader].
//
// A row holds what the account's events up to its version say, each event once,
// to the last digit. Rows and the projection's checkpoint change in one
// transaction, so that what is read is always the state behind whole batches.
// It lags behind the commands: a row is as old as the last batch that was
// committed. Nothing here can be lost for good: the tables can be emptied and
// built again from the feed.
//
// Accounts that are closed keep their row, with status CLOSED, and their
// entries.
//
//	migrate.go   dialects, and the tables of each; migrations/ has them as SQL
//	tables.go    the tables of another line, which is built beside the live one
//	sqlite.go    what statements there are, and those for SQLite
//	mysql.go     those for MySQL; mysql_page.go, mysql_write.go, mysql_verify.go:
//	             the rest of that dialect
//	account.go   a row of bank_account
//	model.go     Model: the gate's questions, and a batch from events to writes
//	fold.go      the events of one account, applied to its row and entries
//	write.go     rows and entries into the tables
//	reader.go    Reader: one account, and whether the database answers
//	accounts.go  lists: their length known before their first account
//	page.go      lists page by page; sqlite_page.go writes their queries
//	past.go      an account as of a version or a time
//	statement.go an account's entries, page by page
//	position.go  up to which position of the store everything was dealt with
//	commits.go   who waits for a change is told of commits
//	balance.go   balances compared with a number
//	audit.go     a line proved against its events; audit_sql.go has the queries
//	verify.go    the tables as es/verify compares them; verify_page.go reads them in pages
package readmodel
