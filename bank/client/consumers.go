package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/url"
	"time"
)

// Side is a service that has consumers.
type Side int

// The services that have consumers.
const (
	QuerySide Side = iota
	NotifySide
)

func (c *Client) side(s Side) *service {
	if s == NotifySide {
		return c.notify
	}
	return c.query
}

// Consumer is a reader of the feed and how far it has come.
type Consumer struct {
	Name          string      `json:"name"`
	ParkedStreams int64       `json:"parkedStreams"`
	Partitions    []Partition `json:"partitions"` // those that the process reads that was asked
	RedriveError  string      `json:"redriveError,omitempty"`
}

// Partition is how far a consumer has come in one partition of the feed.
type Partition struct {
	Partition int32  `json:"partition"`
	Next      int64  `json:"next"` // the offset that is read next
	End       int64  `json:"end"`  // the partition's, as last heard of
	Lag       int64  `json:"lag"`
	Error     string `json:"error,omitempty"` // what keeps it from going on
}

// Consumers returns the consumers of a service.
func (c *Client) Consumers(ctx context.Context, side Side) ([]Consumer, error) {
	var found struct {
		Consumers []Consumer `json:"consumers"`
	}
	err := c.get(ctx, c.side(side), 0, nil, &found, "consumers")
	return found.Consumers, err
}

// ParkedStream is a stream that a consumer cannot go on with.
type ParkedStream struct {
	Stream string `json:"stream"`
	// Reason is gap, difference, unapplicable or draining.
	Reason string `json:"reason"`
	// Version is the one that is waited for, or that of the event in the way.
	Version int64     `json:"version"`
	EventID string    `json:"eventId,omitempty"` // of the event in the way
	Error   string    `json:"error"`             // one line for people
	Since   time.Time `json:"since"`
	Queued  int64     `json:"queued"` // how many events wait
}

// ParkedPage is one page of parked streams.
type ParkedPage struct {
	Parked        []ParkedStream `json:"parked"`
	NextPageToken string         `json:"nextPageToken,omitempty"`
}

// Parked returns one page of a consumer's parked streams, by name.
func (c *Client) Parked(ctx context.Context, side Side, consumer string, page Page) (ParkedPage, error) {
	query := url.Values{}
	page.set(query)
	var found ParkedPage
	err := c.get(ctx, c.side(side), 0, query, &found, "consumers", consumer, "parked")
	return found, err
}

// AllParked walks through all parked streams of a consumer, as AllAccounts does.
func (c *Client) AllParked(ctx context.Context, side Side, consumer string) iter.Seq2[ParkedStream, error] {
	return walk(Page{}, func(page Page) ([]ParkedStream, string, error) {
		found, err := c.Parked(ctx, side, consumer, page)
		return found.Parked, found.NextPageToken, err
	})
}

// ParkedDetails is a parked stream with what is in its way and what waits.
type ParkedDetails struct {
	ParkedStream

	InTheWay *EventInTheWay `json:"inTheWay,omitempty"`
	Queue    []QueuedEvent  `json:"queue"` // its front, by version
}

// QueuedEvent is an event that waits.
type QueuedEvent struct {
	Version  int64     `json:"version"`
	EventID  string    `json:"eventId"`
	Position int64     `json:"position"`
	Type     string    `json:"type"`
	Time     time.Time `json:"time"`
}

// EventInTheWay is the event that keeps a stream.
type EventInTheWay struct {
	QueuedEvent

	Payload     string `json:"payload"` // its beginning; it may be no JSON
	PayloadSize int64  `json:"payloadSize"`
}

// ParkedStream returns one parked stream.
func (c *Client) ParkedStream(ctx context.Context, side Side, consumer, stream string) (ParkedDetails, error) {
	var found ParkedDetails
	err := c.get(ctx, c.side(side), 0, nil, &found, "consumers", consumer, "parked", stream)
	return found, err
}

// Flow is what became of a stream that was parked.
type Flow struct {
	Flows  bool          `json:"flows"`            // nothing is in the way any more
	Parked *ParkedStream `json:"parked,omitempty"` // what is in its way, if it does not
}

// Redrive has a consumer try again to apply what waits in a parked stream. It
// can be repeated at will. The error is an *UnknownError where nobody knows
// whether it was tried.
func (c *Client) Redrive(ctx context.Context, side Side, consumer, stream string) (Flow, error) {
	return c.unpark(ctx, side, nil, consumer, stream, "redrive")
}

// Discard has a consumer pass over the event that is in the way of a parked
// stream, for good, if it has that version. There is no key for it: it is sent
// once, and after an *UnknownError the stream tells whether it happened.
func (c *Client) Discard(ctx context.Context, side Side, consumer, stream string, version int64, reason string) (Flow, error) {
	body, err := json.Marshal(struct {
		Version int64  `json:"version"`
		Reason  string `json:"reason"`
	}{version, reason})
	if err != nil {
		return Flow{}, fmt.Errorf("client: the request cannot be written: %w", err)
	}
	return c.unpark(ctx, side, body, consumer, stream, "discard")
}

func (c *Client) unpark(ctx context.Context, side Side, body []byte, consumer, stream, action string) (Flow, error) {
	address, err := c.side(side).url(nil, "consumers", consumer, "parked", stream, action)
	if err != nil {
		return Flow{}, err
	}
	var flow Flow
	err = c.once(ctx, c.side(side), address, body, &flow)
	return flow, err
}
