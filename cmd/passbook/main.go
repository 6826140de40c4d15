// Command passbook runs the bank's services and is their operators' tool:
// settings and arguments come in from flags and environment, engines and
// services are put together here and nowhere else, and an exit code goes out.
//
//	main.go         arguments, exit codes, signals
//	environment.go  what the environment sets
//	settings.go     the settings of serve, and what is refused of them
//	roles.go        which services a process runs
//	location.go     where the engines are
//	folder.go       the data folder and its lock
//	serve.go        putting a process together, in the order of dependence
//	serve_*.go      the parts: broker; event store and relay; commands; queries
//	probes.go       where a process is asked whether it is ready
//	figures.go      its metrics
//	logging.go      how it logs
//	garbage.go      how often it collects garbage
//	verify.go       comparing event store, feed and read model; verify_broker.go, its feed without serve
//	export.go       and import.go, backup.go, recover.go: the event store as a file, and back
//	import_mongodb.go taking over the Java system's event store; import_report.go: what is found there
//	archive.go      what these four have in common; newfile.go, filelimit_*.go: files that are whole or not there
//	client_flags.go where the services are, and exit codes of what they answer
//	accounts.go     commands for accounts: accounts_change.go, accounts_show.go, accounts_entries.go
//	health.go       asking a probe, where there is no other program to ask it
//	restore.go      following a restore
//	parked.go       streams that a consumer cannot go on with
//	bench.go        figures beside their yardsticks
//	demo.go         made-up traffic; demo_people.go, demo_traffic.go: who does what
//	completion.go   completion_*.go: scripts for shells, from the command line as it is
//	negative.go     numbers below zero among arguments; money.go, instant.go: amounts and times in them
//	table.go        listing.go: answers for people and for programs
//	progress.go     how far long work is; live.go: a line that is drawn over
//	version.go      which program this is
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"passbook/bench"
)

// Exit codes. 1 is for commands whose answer is no.
const (
	exitDone        = 0
	exitNo          = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr))
}

// execute runs one command line and returns the exit code.
func execute(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := runLine(ctx, args, stdout, stderr)
	var ended exitError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &ended):
		return int(ended)
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return exitInterrupted
	}
	_, _ = fmt.Fprintln(stderr, "passbook: "+oneLine(err)) // there is nobody left to tell
	return exitUsage
}

// exitError ends the program with a code and without a word.
type exitError int

// Error implements error.
func (e exitError) Error() string { return fmt.Sprintf("exit %d", int(e)) }

func oneLine(err error) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), "\n", "; ")), " ")
}

type commandLine struct {
	Serve   serveCommand   `cmd:"" help:"Run the services, all of them or some, until they are told to stop."`
	Keys    keysCommand    `cmd:"" help:"API keys."`
	Health  healthCommand  `cmd:"" help:"Ask a running service whether it is alive, or ready."`
	Version versionCommand `cmd:"" help:"Print the version."`

	Accounts accountsCommand `cmd:"" help:"Open, use and look at accounts."`
	Verify   verifyCommand   `cmd:"" help:"Compare event store, feed and read model, and name what does not agree."`
	Restore  restoreCommand  `cmd:"" help:"Build the read model again from the events, while queries are served, and swap it in."`

	Export  exportCommand  `cmd:"" help:"Write the whole event store to a file, as JSON lines, beside whoever serves it."`
	Import  importCommand  `cmd:"" help:"Fill an empty event store from a file that export has written, or from the event store of the Java system."`
	Backup  backupCommand  `cmd:"" help:"Copy the event store to a file, beside whoever serves it."`
	Recover recoverCommand `cmd:"" help:"Put a copy that backup has made in place of the event store, which nobody serves meanwhile."`

	Parked     parkedCommand     `cmd:"" help:"Streams that a consumer cannot go on with."`
	Bench      benchCommand      `cmd:"" help:"Measure a part of passbook, and beside it the same work without passbook."`
	Demo       demoCommand       `cmd:"" help:"Fill a running system with made-up people and steady traffic, until interrupted."`
	Completion completionCommand `cmd:"" help:"Print the script that completes this program's command line in a shell."`
}

func runLine(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if err := loadEnvironment(os.Environ(), os.Setenv, os.Unsetenv); err != nil {
		return err
	}
	var line commandLine
	parser, err := kong.New(&line,
		kong.Name("passbook"),
		kong.Description("Event-sourced bank accounts: commands, events, queries."),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 120}),
		kong.ValueFormatter(describe),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(exitError(code)) }), // panic: --help ends here, and only here
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(output{stdout: stdout, stderr: stderr}),
		kong.Vars{"benches": strings.Join(bench.Names(), ", "), "ops": defaultOpsAddr, "rateKeys": strconv.Itoa(rateWithKeys), "rateOpen": strconv.Itoa(rateWithoutKeys)},
	)
	if err != nil {
		return fmt.Errorf("command line: %w", err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	selected, err := parse(parser, allowNegative(parser.Model, args))
	if err != nil {
		return err
	}
	return selected.Run() //nolint:wrapcheck // it is for people already
}

// parse reads the arguments. Help that was asked for is printed while they are
// read, and ends the program.
func parse(parser *kong.Kong, args []string) (selected *kong.Context, err error) {
	defer func() {
		if caught := recover(); caught != nil {
			ended, ours := caught.(exitError)
			if !ours {
				panic(caught) // not ours to swallow
			}
			selected, err = nil, ended
		}
	}()
	selected, err = parser.Parse(args)
	if err != nil {
		return nil, fmt.Errorf("%w: see passbook --help", err)
	}
	return selected, nil
}

// describe adds to a flag's help what it is without being set, and the variable
// that sets it.
func describe(value *kong.Value) string {
	var text strings.Builder
	text.WriteString(value.Help)
	if value.HasDefault && value.Default != "" {
		text.WriteString(" Default: " + value.Default + ".")
	}
	for _, name := range value.Tag.Envs {
		text.WriteString(" [" + name + "]")
	}
	return text.String()
}

type output struct{ stdout, stderr io.Writer }
