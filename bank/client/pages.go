package client

import (
	"errors"
	"iter"
	"net/url"
	"strconv"
)

// Page is which part of a long answer is asked for.
type Page struct {
	Size  int    // 1 to 1000; 0: the service's default
	Token string // of the page before; empty: the first page
}

func (p Page) set(query url.Values) {
	if p.Size != 0 {
		query.Set("pageSize", strconv.Itoa(p.Size))
	}
	setText(query, "pageToken", p.Token)
}

var errPageRepeats = errors.New("the service named the same page as the next one again: the walk would not end")

// walk yields what is on a page and on all that follow it, and at most one
// error, at the end.
func walk[T any](page Page, load func(Page) (items []T, next string, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for page := page; ; {
			items, next, err := load(page)
			if err != nil {
				yield(none, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			switch next {
			case "":
				return
			case page.Token:
				yield(none, errPageRepeats)
				return
			}
			page.Token = next
		}
	}
}
