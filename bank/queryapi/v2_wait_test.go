package queryapi_test

import (
	"context"
	"database/sql"
	"net/http"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"passbook/bank/queryapi"
	"passbook/bank/readmodel"
	"passbook/bank/web"
	"passbook/contract/account"
	"passbook/es/event"
	"passbook/es/projection"
)

func requireNotYet(t *testing.T, got answer, reached int64) {
	t.Helper()
	require.Equal(t, http.StatusConflict, got.status, got.body)
	require.Equal(t, "1", got.header.Get("Retry-After"))
	require.Contains(t, got.body, `"code":"not-yet-visible"`)
	require.Contains(t, got.body, `"reached":`+strconv.FormatInt(reached, 10)+`}`)
}

// Without a time to wait, and when it is over, the answer says how far it is.
func TestV2_NotYetVisible(t *testing.T) {
	b := open(t)
	b.apply(b.opening("a", "A", "1.00 EUR"), b.deposit("a", "1.00 EUR"))
	for _, wait := range []string{"", "&wait=0s", "&wait=1ms"} {
		for _, path := range []string{accountsV2 + "/a", accountsV2 + "/a/statement"} {
			require.Equal(t, http.StatusOK, b.get(path+"?minVersion=0"+wait).status)
			require.Equal(t, http.StatusOK, b.get(path+"?minVersion=1&minPosition=2"+wait).status)
			requireNotYet(t, b.get(path+"?minVersion=2"+wait), 1)
			requireNotYet(t, b.get(path+"?minVersion=1&minPosition=3"+wait), 2)
		}
		requireNotYet(t, b.get(accountsV2+"/b?minVersion=0"+wait), -1)
		requireNotYet(t, b.get(accountsV2+"?minPosition=3"+wait), 2)
		require.Equal(t, http.StatusOK, b.get(accountsV2+"?minPosition=2"+wait).status)
		// No account has such an id, ever.
		require.Equal(t, http.StatusNotFound, b.get(accountsV2+"/a%20b?minVersion=0"+wait).status)
	}
}

// Whoever waits is answered when it comes, by the state in which it has come.
func TestV2_Waits(t *testing.T) {
	for title, c := range map[string]struct {
		target string
		want   string
	}{
		"Account":               {accountsV2 + "/a?minVersion=1&wait=30s", `"version":1}`},
		"Statement":             {accountsV2 + "/a/statement?minVersion=1&wait=30s", `"kind":"DEPOSITED"`},
		"AccountNotKnownYet":    {accountsV2 + "/b?minVersion=0&wait=30s", `"version":0}`},
		"PositionOnAccount":     {accountsV2 + "/a?minPosition=3&wait=30s", `"version":1}`},
		"PositionOnStatement":   {accountsV2 + "/a/statement?minPosition=3&wait=30s", `"kind":"DEPOSITED"`},
		"PositionOnList":        {accountsV2 + "?minPosition=3&wait=30s", `"id":"b"`},
		"VersionAndPosition":    {accountsV2 + "/a?minPosition=3&minVersion=1&wait=30s", `"version":1}`},
		"PastWhichIsToCome":     {accountsV2 + "/a?atVersion=1&minVersion=1&wait=30s", `"version":1}`},
		"PositionWithoutSignal": {accountsV2 + "?minPosition=3&wait=30s", `"id":"b"`},
	} {
		t.Run(title, func(t *testing.T) {
			looked := make(chan struct{}, 1)
			b := open(t, func(c *queryapi.Config) {
				c.Versions = &watchedVersions{Versions: c.Versions, looked: looked}
				c.SetAside = func(context.Context, int64, int) ([]int64, error) {
					tell(looked)
					return nil, nil
				}
				if title == "PositionWithoutSignal" {
					c.Commits = nil
				}
			})
			b.apply(b.opening("a", "A", "1.00 EUR"))
			answered := make(chan answer)
			go func() { answered <- b.get(c.target) }()
			<-looked
			second, third := b.opening("b", "B", "1.00 EUR"), b.deposit("a", "2.00 EUR")
			b.apply(third) // the other partition is late
			b.apply(second)
			got := <-answered
			require.Equal(t, http.StatusOK, got.status, got.body)
			require.Contains(t, got.body, c.want)
		})
	}
}

func tell(looked chan<- struct{}) {
	select {
	case looked <- struct{}{}:
	default:
	}
}

// watchedVersions tells when somebody begins to wait.
type watchedVersions struct {
	queryapi.Versions
	looked chan struct{}
}

func (w *watchedVersions) Await(ctx context.Context, stream string, version int64) (int64, error) {
	tell(w.looked)
	return w.Versions.Await(ctx, stream, version)
}

// A position is reached when everything up to it is there, whatever is behind.
func TestV2_PositionHasNoGap(t *testing.T) {
	b := open(t)
	var events []event.Envelope
	for i := range 20 {
		events = append(events, b.opening(strconv.Itoa(i), "A", "1.00 EUR"))
	}
	reached := func(want int64) {
		t.Helper()
		requireNotYet(t, b.get(accountsV2+"?minPosition=1000"), want)
	}
	reached(0)
	b.apply(events[5:10]...) // positions 6 to 10
	reached(0)
	b.apply(events[0], events[1], events[3])
	reached(2)
	b.apply(events[2], events[4])
	reached(10)
	b.apply(events[11:]...)
	reached(10)
	b.apply(events[10])
	reached(20)
}

// What was parked or discarded was dealt with.
func TestV2_PositionPassesWhatWasSetAside(t *testing.T) {
	var aside []int64
	b := open(t, func(c *queryapi.Config) {
		c.SetAside = func(_ context.Context, after int64, limit int) (positions []int64, err error) {
			for _, position := range aside {
				if position > after && len(positions) < limit {
					positions = append(positions, position)
				}
			}
			return positions, nil
		}
	})
	events := []event.Envelope{b.opening("a", "A", "1.00 EUR")}
	for range 9 {
		events = append(events, b.deposit("a", "1.00 EUR"))
	}
	b.apply(events[0])
	requireNotYet(t, b.get(accountsV2+"?minPosition=1000"), 1)
	aside = []int64{2, 3, 5}
	requireNotYet(t, b.get(accountsV2+"?minPosition=1000"), 3)
	b.apply(events[1:4]...) // two of them were taken up again
	requireNotYet(t, b.get(accountsV2+"?minPosition=1000"), 5)
	aside = []int64{6, 7, 12}
	requireNotYet(t, b.get(accountsV2+"?minPosition=1000"), 7)
	require.Equal(t, http.StatusOK, b.get(accountsV2+"?minPosition=7").status)
}

// A server that stops does not make those wait who wait: they are answered before
// it would cut them off.
func TestV2_WaitEndsWithServer(t *testing.T) {
	looked := make(chan struct{}, 1)
	b := open(t, func(c *queryapi.Config) {
		c.Versions = &watchedVersions{Versions: c.Versions, looked: looked}
	})
	server := web.NewServer("127.0.0.1:0", b, &web.ServerConfig{Log: quiet()})
	require.NoError(t, server.Listen(t.Context()))
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- server.Run(ctx) }()

	answered := make(chan int, 1)
	go func() {
		got, err := http.Get("http://" + server.Addr() + accountsV2 + "/a?minVersion=0&wait=30s")
		if err != nil {
			answered <- 0
			return
		}
		_ = got.Body.Close()
		answered <- got.StatusCode
	}()
	<-looked
	stop()
	require.Equal(t, http.StatusConflict, <-answered)
	require.NoError(t, <-stopped)
}

// Nobody waits on for a client that has left.
func TestV2_WaitEndsWithClient(t *testing.T) {
	for _, target := range []string{accountsV2 + "/a?minVersion=0&wait=30s", accountsV2 + "?minPosition=1&wait=30s"} {
		ctx, leave := context.WithCancel(t.Context())
		b := open(t, func(c *queryapi.Config) {
			c.Versions = leaving{c.Versions, leave}
			looks := 0
			c.SetAside = func(context.Context, int64, int) ([]int64, error) {
				if looks++; looks == 3 {
					leave()
				}
				return nil, nil
			}
		})
		require.Equal(t, http.StatusConflict, b.askWith(ctx, target).status)
	}
}

// leaving has the client leave as soon as it waits.
type leaving struct {
	queryapi.Versions
	leave func()
}

func (l leaving) Await(ctx context.Context, stream string, version int64) (int64, error) {
	l.leave()
	return l.Versions.Await(ctx, stream, version)
}

// failing is a way to wait that fails.
type failing struct{ err error }

func (f failing) Await(context.Context, string, int64) (int64, error) { return event.NoVersion, f.err }

func TestV2_WaitFails(t *testing.T) {
	const target = accountsV2 + "/a?minVersion=0&wait=1s"
	b := open(t, func(c *queryapi.Config) { c.Versions = failing{projection.ErrTooManyWaiters} })
	p := requireProblem(t, b.get(target), http.StatusTooManyRequests, web.CodeTooManyRequests, "")
	require.Equal(t, "too many queries wait at this moment", p.Detail)
	require.Equal(t, "1", b.get(target).header.Get("Retry-After"))

	b = open(t, func(c *queryapi.Config) { c.Versions = failing{sql.ErrConnDone} })
	p = requireProblem(t, b.get(target), http.StatusServiceUnavailable, web.CodeUnavailable, "")
	require.Equal(t, "the read DB does not answer", p.Detail)

	b = open(t, func(c *queryapi.Config) {
		c.SetAside = func(context.Context, int64, int) ([]int64, error) { return nil, sql.ErrConnDone }
	})
	for _, wait := range []string{"", "&wait=1s"} {
		requireProblem(t, b.get(accountsV2+"?minPosition=1"+wait), http.StatusServiceUnavailable, web.CodeUnavailable, "")
	}
	b = open(t)
	require.NoError(t, b.store.Close())
	for _, target := range []string{"?minPosition=1", "?minPosition=1&wait=1s", "/a?minVersion=1", "/a?minVersion=1&wait=1s", "/a", ""} {
		requireProblem(t, b.get(accountsV2+target), http.StatusServiceUnavailable, web.CodeUnavailable, "")
	}
}

// A discarded event is never coming; whoever waits for it is answered by what
// there is.
func TestV2_WaitForDiscarded(t *testing.T) {
	b := open(t)
	consumer, err := projection.New("bankaccConsumer", b.store, b.model, projection.Config{})
	require.NoError(t, err)
	b.apply(b.opening("a", "A", "1.00 EUR"))
	require.NoError(t, b.store.Update(t.Context(), func(tx *sql.Tx) error {
		return b.store.Discard(t.Context(), tx, consumer.Name(), projection.Discarded{Stream: "a", Version: 1, EventID: "x", Reason: "wrong"})
	}))
	got := decodeBody[accountBody](t, b.get(accountsV2+"/a?minVersion=1&wait=30s"))
	require.EqualValues(t, 0, got.Version)
}

// Many who wait for positions are all answered, whoever of them looks.
func TestV2_ManyWaitForPositions(t *testing.T) {
	b := open(t)
	const waiters = 40
	statuses := make(chan int, waiters)
	var all sync.WaitGroup
	for i := range waiters {
		all.Go(func() {
			statuses <- b.get(accountsV2 + "?pageSize=1&wait=30s&minPosition=" + strconv.Itoa(i%10+1)).status
		})
	}
	for i := range 10 {
		b.apply(b.event(strconv.Itoa(i), account.OpenedName, account.Opened{
			AccountHolder: "A", AccountType: account.Savings, OpeningBalance: b.money("1.00 EUR"),
		}))
	}
	all.Wait()
	for range waiters {
		require.Equal(t, http.StatusOK, <-statuses)
	}
}

var _ queryapi.Commits = (*readmodel.Commits)(nil)
