package load

import (
	"encoding/json"
	"io"
	"net/http"
)

// movement is the body of a deposit, as the bank's API takes it.
type movement struct {
	Amount    money  `json:"amount"`
	Reference string `json:"reference,omitempty"`
}

type money struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

// account is as large as what the bank's API answers with.
type account struct {
	ID            string `json:"id"`
	AccountHolder string `json:"accountHolder"`
	AccountType   string `json:"accountType"`
	Status        string `json:"status"`
	Balance       money  `json:"balance"`
	CreatedAt     string `json:"createdAt"`
	UpdatedAt     string `json:"updatedAt"`
	Version       int64  `json:"version"`
}

// Echo is what a service over HTTP and JSON costs if it does nothing: net/http
// and encoding/json as they come. A POST of a deposit is decoded and sent back,
// a GET answers with an account made on the spot.
func Echo() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var m movement
		if err := json.Unmarshal(body, &m); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		write(w, m)
	})
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		write(w, account{
			ID: r.URL.Path, AccountHolder: "John Doe", AccountType: "SAVINGS", Status: "OPEN",
			Balance: money{"150.10", "EUR"}, CreatedAt: "2026-11-22T06:23:01.949Z", UpdatedAt: "2026-11-22T06:25:40.017Z", Version: 1,
		})
	})
	return mux
}

func write(w http.ResponseWriter, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // a client that has gone away does not want it
}
