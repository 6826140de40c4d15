package notify

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// answerBytesMax is how much of an answer is read, so that the connection can be
// used again. What it says is not looked at.
const answerBytesMax = 64 << 10

// newHTTPClient returns a client that follows no redirects: what is sent is meant
// for the address that was set, credentials and amounts included. Deadlines come
// with each request.
func newHTTPClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is documented to be one
	transport.MaxIdleConnsPerHost = sendersMax
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// post sends a request, and wants a status of success.
func post(client *http.Client, request *http.Request) error {
	request.Header.Set("User-Agent", "passbook")
	response, err := client.Do(request)
	if err != nil {
		// Its own text has the address, and addresses may have secrets in them.
		if outer, ok := errors.AsType[*url.Error](err); ok {
			return outer.Err
		}
		return err
	}
	defer func() { _ = response.Body.Close() }() // nothing depends on it
	_, _ = io.CopyN(io.Discard, response.Body, answerBytesMax)
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return fmt.Errorf("it answered %d %s", response.StatusCode, http.StatusText(response.StatusCode))
	}
	return nil
}

// parseHTTPURL reads the URL of a service. The error does not repeat it.
func parseHTTPURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Scheme != "https" && u.Scheme != "http", u.Host == "", u.Opaque != "":
		return nil, errors.New("want a URL such as https://example.com/path")
	case u.Fragment != "":
		return nil, errors.New("a URL to send to has no part behind #")
	}
	return u, nil
}
