package client

import (
	"context"
	"iter"
	"net/url"
	"time"
)

// Notification is one message to a customer through one channel.
type Notification struct {
	ID        string    `json:"id"`
	EventID   string    `json:"eventId"`
	AccountID string    `json:"accountId"`
	Kind      string    `json:"kind"`
	Channel   string    `json:"channel"`
	State     string    `json:"state"` // pending, sent or failed
	Attempts  int64     `json:"attempts"`
	UpdatedAt time.Time `json:"updatedAt"`
	Error     string    `json:"error,omitempty"` // of the last attempt, if it did not succeed
}

// NotificationsFilter chooses notifications; empty fields choose nothing.
type NotificationsFilter struct {
	AccountID string
	State     string
	Page      Page
}

// NotificationsPage is one page of notifications.
type NotificationsPage struct {
	Notifications []Notification `json:"notifications"`
	NextPageToken string         `json:"nextPageToken,omitempty"`
}

// Notifications returns one page of notifications.
func (c *Client) Notifications(ctx context.Context, filter NotificationsFilter) (NotificationsPage, error) {
	query := url.Values{}
	setText(query, "accountId", filter.AccountID)
	setText(query, "state", filter.State)
	filter.Page.set(query)
	var page NotificationsPage
	err := c.get(ctx, c.notify, 0, query, &page, "notifications")
	return page, err
}

// AllNotifications walks through all pages, as AllAccounts does.
func (c *Client) AllNotifications(ctx context.Context, filter NotificationsFilter) iter.Seq2[Notification, error] {
	return walk(filter.Page, func(page Page) ([]Notification, string, error) {
		filter.Page = page
		found, err := c.Notifications(ctx, filter)
		return found.Notifications, found.NextPageToken, err
	})
}
