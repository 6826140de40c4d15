package notify

import (
	"context"
	"log/slog"
	"time"
)

// logChannel writes each notification as a line of the program's log, whatever
// level is logged otherwise: it is not said to be sent without being there.
type logChannel struct{ log *slog.Logger }

// Name implements Channel.
func (logChannel) Name() string { return "log" }

// Address implements Channel: the log is there for everybody.
func (logChannel) Address(Contact) (string, bool) { return "", true }

// Send implements Channel.
func (c logChannel) Send(ctx context.Context, n Notification) error {
	record := slog.NewRecord(time.Now(), slog.LevelInfo, "notification", 0)
	record.AddAttrs(
		slog.String("id", n.ID), slog.String("account", n.AccountID), slog.String("kind", string(n.Kind)), slog.String("text", n.Text()))
	return c.log.Handler().Handle(ctx, record)
}
