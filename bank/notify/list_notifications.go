package notify

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"passbook/bank/web"
	"passbook/contract/account"
)

type listInput struct {
	AccountID string `query:"accountId" doc:"Only those of this account."`
	State     string `query:"state" enum:"pending,sent,failed" doc:"Only those in this state."`
	PageSize  int64  `query:"pageSize" minimum:"1" maximum:"1000" default:"50" doc:"How many to return at most."`
	PageToken string `query:"pageToken" doc:"The nextPageToken of the page before, with the same accountId and state."`
}

type listOutput struct {
	Body notificationPage
}

type notificationPage struct {
	Notifications []notificationItem `json:"notifications" nullable:"false"`
	NextPageToken string             `json:"nextPageToken,omitempty" doc:"Leads to the next page; missing on the last one."`
}

type notificationItem struct {
	ID        string    `json:"id" doc:"The same at each attempt: what the channel gets as idempotency key."`
	EventID   string    `json:"eventId"`
	AccountID string    `json:"accountId"`
	Kind      string    `json:"kind" enum:"OPENED,DEPOSITED,WITHDRAWN,CLOSED"`
	Channel   string    `json:"channel"`
	State     string    `json:"state" enum:"pending,sent,failed" doc:"Pending ones are tried again; failed ones are not."`
	Attempts  int64     `json:"attempts" doc:"How many attempts to send it were begun."`
	UpdatedAt time.Time `json:"updatedAt" doc:"When the last attempt began or ended, or the notification was recorded."`
	Error     string    `json:"error,omitempty" doc:"What became of the last attempt, if it did not succeed."`
}

// pageToken says where a walk goes on, and of what.
type pageToken struct {
	Below     int64  `json:"b"`
	AccountID string `json:"a,omitempty"`
	State     State  `json:"s,omitempty"`
}

func (t pageToken) String() string {
	text, _ := json.Marshal(t) //nolint:errchkjson // a number and two strings
	return base64.RawURLEncoding.EncodeToString(text)
}

// parsePageToken reads a token of a walk with that filter; an empty one begins it.
func parsePageToken(text string, f filter) (below int64, ok bool) {
	if text == "" {
		return 0, true
	}
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return 0, false
	}
	var token pageToken
	if json.Unmarshal(decoded, &token) != nil {
		return 0, false
	}
	return token.Below, token.Below > 0 && token.AccountID == f.AccountID && token.State == f.State
}

func registerListNotifications(api *web.API, notifications *Reader, timeout time.Duration) {
	web.Register(api, web.Operation{
		ID: "listNotifications", Method: http.MethodGet, Path: "/api/v2/notifications", Scope: queryIs,
		Summary: "Notifications, the newest first",
		Doc: "In the order in which they were recorded, backwards. A walk over the pages sees every notification once that was " +
			"there when it began; with a state, those that were in that state all the while.",
		Tags: []string{"version 2"}, StrictQuery: true, Problems: []web.Code{web.CodeUnavailable},
	}, func(ctx context.Context, in *listInput) (*listOutput, error) {
		if in.AccountID != "" && account.CheckAccountID(in.AccountID) != nil {
			return nil, web.InvalidField("accountId", "must be 1 to 64 of the characters A-Z a-z 0-9 . _ -")
		}
		wanted := filter{AccountID: in.AccountID, State: State(in.State)}
		below, ok := parsePageToken(in.PageToken, wanted)
		if !ok {
			return nil, web.InvalidField("pageToken", "must be the nextPageToken of an answer to the same question")
		}
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		// One more, to see whether there is another page.
		records, err := notifications.list(ctx, wanted, below, int(in.PageSize)+1)
		if err != nil {
			return nil, err
		}
		return &listOutput{Body: page(records, wanted, int(in.PageSize))}, nil
	})
}

func page(records []record, wanted filter, size int) notificationPage {
	p := notificationPage{Notifications: []notificationItem{}}
	if len(records) > size {
		records = records[:size]
		p.NextPageToken = pageToken{Below: records[size-1].seq, AccountID: wanted.AccountID, State: wanted.State}.String()
	}
	for _, r := range records {
		p.Notifications = append(p.Notifications, notificationItem{
			ID: r.ID, EventID: r.EventID, AccountID: r.AccountID, Kind: string(r.Kind), Channel: r.Channel,
			State: string(r.State), Attempts: r.Attempts, UpdatedAt: r.UpdatedAt, Error: r.Error,
		})
	}
	return p
}
