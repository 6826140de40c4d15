package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"passbook/bank/client"
)

// parkedCommand are the commands for streams that a consumer cannot go on with.
type parkedCommand struct {
	List    listParkedCommand `cmd:"" help:"List parked streams: accounts whose next event is missing, contradicts another, or cannot be read."`
	Show    showParkedCommand `cmd:"" help:"Show why a stream is parked."`
	Redrive redriveCommand    `cmd:"" help:"Try again to apply what waits in a parked stream."`
	Discard discardCommand    `cmd:"" help:"Pass over the event that is in the way of a parked stream, for good."`
}

// parkedFlags name a consumer.
type parkedFlags struct {
	Service  string `default:"query" enum:"query,notify" help:"Whose consumer: query (the read model) or notify (notifications)." placeholder:"SERVICE"`
	Consumer string `complete:"bankaccConsumer,accNotifyConsumer" help:"Consumer, if the service has several. Default: its only one." placeholder:"NAME"`

	clientFlags
}

func (f *parkedFlags) side() client.Side {
	if f.Service == "notify" {
		return client.NotifySide
	}
	return client.QuerySide
}

// consumer finds out whose parked streams are meant.
func (f *parkedFlags) consumer(ctx context.Context, bank *client.Client) (string, error) {
	if f.Consumer != "" {
		return f.Consumer, nil
	}
	found, err := bank.Consumers(ctx, f.side())
	if err != nil {
		return "", err //nolint:wrapcheck // it is for people already
	}
	var names []string
	for _, consumer := range found {
		names = append(names, consumer.Name)
	}
	usual := map[client.Side]string{client.QuerySide: "bankaccConsumer", client.NotifySide: "accNotifyConsumer"}[f.side()]
	switch {
	case len(names) == 1:
		return names[0], nil
	case slices.Contains(names, usual):
		return usual, nil
	case len(names) == 0:
		return "", refusal(fmt.Sprintf("the %s service has no consumer", f.Service))
	}
	return "", fmt.Errorf("--consumer: the %s service has several: %s", f.Service, strings.Join(names, ", "))
}

// askAbout runs one command about a consumer.
func (f *parkedFlags) askAbout(ctx context.Context, out output, do func(context.Context, *client.Client, string) error) error {
	return f.ask(ctx, out, func(ctx context.Context, bank *client.Client) error {
		consumer, err := f.consumer(ctx, bank)
		if err != nil {
			return err
		}
		return do(ctx, bank, consumer)
	})
}

type listParkedCommand struct{ parkedFlags }

// Run lists parked streams, all of them.
func (c *listParkedCommand) Run(ctx context.Context, out output) error {
	return c.askAbout(ctx, out, func(ctx context.Context, bank *client.Client, consumer string) error {
		rows := newListing(out.stdout, c.JSON, "parked", parkedCells, "STREAM", "REASON", ">VERSION", ">QUEUED", "SINCE", "ERROR")
		rows.none = "parked streams"
		return rows.all(out, bank.AllParked(ctx, c.side(), consumer))
	})
}

func parkedCells(p client.ParkedStream) []string {
	return []string{p.Stream, p.Reason, strconv.FormatInt(p.Version, 10), grouped(p.Queued), showTime(p.Since), p.Error}
}

type showParkedCommand struct {
	Stream string `arg:"" help:"Stream, which is the account's id."`

	parkedFlags
}

// Run shows a parked stream.
func (c *showParkedCommand) Run(ctx context.Context, out output) error {
	return c.askAbout(ctx, out, func(ctx context.Context, bank *client.Client, consumer string) error {
		p, err := bank.ParkedStream(ctx, c.side(), consumer, c.Stream)
		if err != nil {
			return err //nolint:wrapcheck // it is for people already
		}
		if c.JSON {
			return printJSON(out.stdout, p)
		}
		return showParked(out, p)
	})
}

func showParked(out output, p client.ParkedDetails) error {
	fields := [][2]string{
		{"Stream", p.Stream},
		{"Parked", "since " + showTime(p.Since)},
		{"Reason", p.Reason},
		{"Version", strconv.FormatInt(p.Version, 10)},
		{"Error", p.Error},
		{"Queued", grouped(p.Queued)},
	}
	if e := p.InTheWay; e != nil {
		fields = append(fields, [2]string{"Event", e.EventID}, [2]string{"Type", e.Type}, [2]string{"Payload", e.Payload})
	}
	if err := printFields(out.stdout, fields); err != nil || len(p.Queue) == 0 {
		return err
	}
	_, _ = fmt.Fprintln(out.stdout) // what follows fails if this does
	rows := newTable(out.stdout, ">VERSION", "TIME", "TYPE", ">POSITION", "EVENT")
	for _, e := range p.Queue {
		if err := rows.add(strconv.FormatInt(e.Version, 10), showTime(e.Time), e.Type, strconv.FormatInt(e.Position, 10), e.EventID); err != nil {
			return err
		}
	}
	return rows.flush()
}

type redriveCommand struct {
	Stream string `arg:"" help:"Stream, which is the account's id."`

	parkedFlags
}

// Run tries a parked stream again.
func (c *redriveCommand) Run(ctx context.Context, out output) error {
	return c.askAbout(ctx, out, func(ctx context.Context, bank *client.Client, consumer string) error {
		done, err := bank.Redrive(ctx, c.side(), consumer, c.Stream)
		if err != nil {
			return err //nolint:wrapcheck // it is for people already
		}
		return c.became(out, c.Stream, done)
	})
}

type discardCommand struct {
	Stream  string `arg:"" help:"Stream, which is the account's id."`
	Version int64  `help:"Version of the event that is in the way, as \"parked show\" tells it." placeholder:"N" required:""`
	Reason  string `help:"Why; it is kept, with who did it." placeholder:"TEXT" required:""`

	parkedFlags
}

// Run discards an event.
func (c *discardCommand) Run(ctx context.Context, out output) error {
	return c.askAbout(ctx, out, func(ctx context.Context, bank *client.Client, consumer string) error {
		done, err := bank.Discard(ctx, c.side(), consumer, c.Stream, c.Version, c.Reason)
		if err != nil {
			return err //nolint:wrapcheck // it is for people already
		}
		return c.became(out, c.Stream, done)
	})
}

// became tells what became of a stream. That it did not help is an answer, too,
// and one that is no.
func (f *parkedFlags) became(out output, stream string, now client.Flow) error {
	if f.JSON {
		if err := printJSON(out.stdout, now); err != nil {
			return err
		}
	}
	switch {
	case !now.Flows && now.Parked != nil:
		return refusal(fmt.Sprintf("stream %s is still parked: %s", stream, now.Parked.Error))
	case !now.Flows:
		return refusal(fmt.Sprintf("stream %s is still parked", stream))
	case f.JSON:
		return nil
	}
	_, err := fmt.Fprintf(out.stdout, "stream %s flows again\n", printable(stream))
	return err //nolint:wrapcheck // standard output is gone: there is nothing to add
}
