package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"passbook/bank/client"
)

// clientFlags are what every command takes that asks the services.
type clientFlags struct {
	JSON       bool          `help:"Print the API's JSON instead of text." name:"json"`
	CommandURL string        `default:"http://127.0.0.1:5000" env:"PASSBOOK_COMMAND_URL" group:"Services:" help:"Command API. The API key for all services is PASSBOOK_API_KEY, or in the file PASSBOOK_API_KEY_FILE." placeholder:"URL"`
	QueryURL   string        `default:"http://127.0.0.1:5001" env:"PASSBOOK_QUERY_URL" group:"Services:" help:"Query API." placeholder:"URL"`
	NotifyURL  string        `default:"http://127.0.0.1:5002" env:"PASSBOOK_NOTIFY_URL" group:"Services:" help:"Notification API." placeholder:"URL"`
	Timeout    time.Duration `default:"10s" group:"Services:" help:"How long an answer is waited for, with all that is tried again." placeholder:"TIME"`
}

// apiKeySetting is read from the environment alone: a flag would show the key to
// everybody who can list processes.
const apiKeySetting = "PASSBOOK_API_KEY" //nolint:gosec // the name of a secret, not one

// dial makes the client that the flags describe. Nothing is called yet.
func (f *clientFlags) dial() (*client.Client, error) {
	if f.Timeout <= 0 {
		return nil, fmt.Errorf("--timeout: %s is no time to wait: want more than 0", f.Timeout)
	}
	made, err := client.New(client.Config{
		CommandURL: f.CommandURL, QueryURL: f.QueryURL, NotifyURL: f.NotifyURL,
		APIKey: os.Getenv(apiKeySetting), Timeout: f.Timeout, UserAgent: "passbook/" + programVersion(),
	})
	if err != nil {
		return nil, fmt.Errorf("PASSBOOK_COMMAND_URL, PASSBOOK_QUERY_URL, PASSBOOK_NOTIFY_URL, %s: %w", apiKeySetting, err)
	}
	return made, nil
}

// ask runs one command of the command line against the services, and turns what
// went wrong into exit codes.
func (f *clientFlags) ask(ctx context.Context, out output, do func(context.Context, *client.Client) error) error {
	c, err := f.dial()
	if err != nil {
		return err
	}
	defer c.Close()
	return out.ended(ctx, do(ctx, c))
}

// refusal is an answer that is no: it is told, and the exit code is 1.
type refusal string

// Error implements error.
func (r refusal) Error() string { return string(r) }

// ended tells what went wrong, in one line, and by its exit code a refusal, which
// is an answer, from what kept the answer away.
func (o output) ended(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	interrupted := errors.Is(ctx.Err(), context.Canceled)
	var (
		no          refusal
		answered    *client.Error
		open        *client.UnknownError
		unreachable *client.UnreachableError
	)
	code := exitError(exitUsage)
	switch {
	case errors.As(err, &open):
		if open.Key != "" {
			err = fmt.Errorf("whether this was done is not known (%w): repeat the same command with --key %s to find out", open.Err, open.Key)
		}
	case interrupted: // whatever it looks like
		return ctx.Err() //nolint:wrapcheck // it is told by its exit code
	case errors.As(err, &no):
		code = exitNo
	case errors.As(err, &answered) && answered.Refused():
		err, code = errors.New(answered.Error()+hint(answered.Code)), exitNo
	case errors.As(err, &unreachable):
		err = fmt.Errorf("%w: is it running? %s says where", err, urlSetting(unreachable.Service))
	}
	_, _ = fmt.Fprintln(o.stderr, "passbook: "+printable(oneLine(err))) // there is nobody else to tell
	if interrupted {
		return ctx.Err() //nolint:wrapcheck // it is told by its exit code
	}
	return code
}

// hint says what helps, where a flag of this program does.
func hint(code string) string {
	switch code {
	case "currency-mismatch":
		return ": name the account's currency with --currency"
	case "unauthenticated":
		return ": set " + apiKeySetting + " or " + apiKeySetting + "_FILE"
	case "not-yet-visible":
		return ": ask again, or have it waited for with --min-version and --wait"
	}
	return ""
}

func urlSetting(service string) string {
	switch service {
	case "query service":
		return "PASSBOOK_QUERY_URL"
	case "notification service":
		return "PASSBOOK_NOTIFY_URL"
	}
	return "PASSBOOK_COMMAND_URL"
}

// printJSON writes one value on a line of its own, as the APIs write it.
func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value) //nolint:wrapcheck // standard output is gone: there is nothing to add
}
