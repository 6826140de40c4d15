package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

func TestAllowNegative(t *testing.T) {
	var line struct {
		Accounts accountsCommand `cmd:""`
	}
	parser, err := kong.New(&line)
	require.NoError(t, err)
	for given, want := range map[string]string{
		"accounts deposit a1 -5":                      "accounts deposit a1 -- -5",
		"accounts deposit a1 -.5 --json":              "accounts deposit a1 --json -- -.5",
		"accounts deposit a1 --json -5":               "accounts deposit a1 --json -- -5",
		"accounts deposit a1 5":                       "accounts deposit a1 5",
		"accounts deposit --key -5 a1 -6":             "accounts deposit --key=-5 a1 -- -6",
		"accounts open --balance -5 --holder Ann":     "accounts open --balance=-5 --holder Ann",
		"accounts list --sort -balance":               "accounts list --sort=-balance",
		"accounts deposit a1 -- -5":                   "accounts deposit a1 -- -5",
		"accounts deposit a1 -5 -- more":              "accounts deposit a1 -- -5 more",
		"accounts deposit a1 -x":                      "accounts deposit a1 -x",
		"accounts deposit --key -h":                   "accounts deposit --key -h",
		"accounts deposit --key --json":               "accounts deposit --key --json",
		"accounts deposit --if-version -1 --key -2 a": "accounts deposit --if-version=-1 --key=-2 a",
	} {
		require.Equal(t, want, strings.Join(allowNegative(parser.Model, strings.Fields(given)), " "), given)
	}
}

// Amounts that money cannot be are answered with a sentence about money, before
// anything is asked: nothing listens here.
func TestAmountsThatAreNone(t *testing.T) {
	for line, want := range map[string]struct {
		code int
		text string
	}{
		"accounts deposit a1 -5":                                 {exitNo, "the amount must be greater than 0, and -5.00 EUR is not"},
		"accounts withdraw a1 -0.01":                             {exitNo, "the amount must be greater than 0, and -0.01 EUR is not"},
		"accounts withdraw a1 -- -7":                             {exitNo, "the amount must be greater than 0, and -7.00 EUR is not"},
		"accounts deposit a1 0":                                  {exitNo, "the amount must be greater than 0, and 0.00 EUR is not"},
		"accounts deposit a1 0.001":                              {exitNo, "the amount must not have more than the 2 decimals of EUR"},
		"accounts deposit a1 5.5 --currency JPY":                 {exitNo, "the amount must not have more than the 0 decimals of JPY"},
		"accounts deposit a1 1000000000000":                      {exitNo, "the amount must not be beyond 999999999999.99 EUR"},
		"accounts open --holder Ann --balance -5":                {exitNo, "the opening balance must not be below 0, and -5.00 EUR is"},
		"accounts deposit a1 five":                               {exitUsage, `amount: "five" is no amount: want a number such as 12.50`},
		"accounts deposit a1 5,00":                               {exitUsage, `amount: "5,00" is no amount: want a number such as 12.50`},
		"accounts deposit a1 1e3":                                {exitUsage, `amount: "1e3" is no amount: want a number such as 12.50`},
		"accounts deposit a1 5 --currency euro":                  {exitUsage, "PASSBOOK_CURRENCY (--currency): currency must be an active ISO 4217 code in capitals, such as EUR"},
		"accounts deposit a1 5 --timeout -1s":                    {exitUsage, "--timeout: -1s is no time to wait: want more than 0"},
		"accounts deposit a1 5 --key é":                          {exitUsage, "--key: Idempotency-Key must be 1 to 255 printable ASCII characters"},
		"accounts deposit a1 5 --command-url http://a:b@host":    {exitUsage, "user and password in the URL are not used"},
		"accounts get a1 --at-version 1 --at 2026-01-01":         {exitUsage, "--at-version and --at: name one of them"},
		"accounts statement a1 --json --csv":                     {exitUsage, "--json and --csv: name one of them"},
		"accounts get a1 --at yesterday":                         {exitUsage, `--at: "yesterday" is no time: want 2026-01-31, or 2026-01-31T12:00:00Z`},
		"accounts list --type gold":                              {exitUsage, `--type: "gold" is no type of account: want savings or current`},
		"accounts list --status gone":                            {exitUsage, `--status: "gone" is no status: want open or closed`},
		"accounts deposit a1 5 --command-url http://127.0.0.1:1": {exitUsage, "cannot reach the command service at http://127.0.0.1:1"},
		"demo --rate 0":                                          {exitUsage, "--rate: 0 is out of range"},
		"demo --accounts 0":                                      {exitUsage, "--accounts: 0 is out of range"},
		"demo --command-url http://127.0.0.1:1":                  {exitUsage, "is it running? PASSBOOK_COMMAND_URL says where"},
	} {
		var stdout, stderr bytes.Buffer
		require.Equal(t, want.code, execute(strings.Fields(line), &stdout, &stderr), "%s: %s", line, &stderr)
		require.Contains(t, stderr.String(), want.text, line)
		require.Empty(t, stdout.String(), line)
		require.Equal(t, 1, strings.Count(stderr.String(), "\n"), "one line: %s", &stderr)
	}
}
