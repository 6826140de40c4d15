// Package scenario holds stories about the whole bank, one text for embedded and
// for real engines: testdata/*.txtar, scripts of testscript (see
// "go doc github.com/rogpeppe/go-internal/testscript"). They know the built
// program alone: its command line, what it answers over HTTP, its exit codes.
// Tests only.
//
//	scenario_test.go  which scripts run on what
//	sites_test.go     what a site is: the engines of one bank, and its data folder
//	commands_test.go  what scripts can do beside running the program
//
// A script begins at a site named home, with nothing in it; the environment of
// the program names its engines, so that "exec passbook verify" needs no flags.
// Beside the commands of testscript there are:
//
//	site NAME                      go to a site; one that is new has empty engines of its own
//	serve NAME [FLAG...]           start passbook serve here and wait until it is ready;
//	                               the client commands talk to it from now on
//	end NAME                       end it in order
//	crash NAME                     end it as a power cut would
//	http STATUS METHOD URL [BODY] [NAME:VALUE...]
//	                               send a request, want the status, and have headers and body as stdout
//	eventually REGEXP PROGRAM ARG...
//	                               run a program until it succeeds and what it prints matches
//	eventually REGEXP URL          ask a URL until the body matches
//	capture VARIABLE REGEXP        keep what the first group of REGEXP matches in stdout
//	append STREAM VERSION TYPE DATA
//	                               write an event behind that version into the store of this
//	                               site, which nobody serves, as a newer program would
//
// $COMMAND, $QUERY and $NOTIFY are base URLs of what was started last. Roles of
// their own processes: --roles command,relay$BROKER_ROLE, where the variable is
// ",broker" for embedded engines, and nothing where the broker is a server; then
// others reach it with the flags in $REACH_BROKER.
package scenario
