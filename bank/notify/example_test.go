package notify_test

import (
	"context"
	"log"
	"log/slog"
	"os"
	"path/filepath"

	"passbook/bank/notify"
	"passbook/engine/sqlite"
)

// An account is opened, and money comes in: its holder is told, by a line of the
// log where nothing else is set.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	folder, err := os.MkdirTemp("", "notify")
	check(err)
	defer os.RemoveAll(folder)
	store, err := sqlite.OpenProjectionStore(ctx, filepath.Join(folder, "notify.db"), sqlite.Durable)
	check(err)
	defer store.Close()
	check(notify.Migrate(ctx, store.DB(), notify.SQLite))

	events := newHistory()
	events.open("a1", "+49 170 1234567")
	events.deposit("a1", "12.50 EUR")
	feed := newTopic("account-events", events)

	// The program's own log; here the example ends with its second line.
	lines := 0
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch a.Key {
		case slog.TimeKey, "id":
			return slog.Attr{}
		case "text":
			if lines++; lines == 2 {
				stop()
			}
		}
		return a
	}}))
	channels, err := notify.ParseChannels(notify.Settings{Channels: "log"}, logger)
	check(err)
	service, err := notify.New(notify.Config{
		Store: store, Dialect: notify.SQLite, Channels: channels, Feed: feed, Subscriber: feed, Logger: quiet(),
	})
	check(err)
	check(service.Run(ctx))

	// Output:
	// level=INFO msg=notification account=a1 kind=OPENED text="Your account a1 was opened with a balance of 100.00 EUR."
	// level=INFO msg=notification account=a1 kind=DEPOSITED text="12.50 EUR was deposited into your account a1; the balance is now 112.50 EUR."
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
