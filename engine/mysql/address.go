package mysql

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	driver "github.com/go-sql-driver/mysql"
)

// How long the network may take. A statement has readTimeout until its first
// row; a peer that went away without a word is noticed by then at the latest.
const (
	dialTimeout  = 10 * time.Second
	readTimeout  = 3 * time.Minute
	writeTimeout = time.Minute
)

// parseAddress reads mysql://user:password@host:port/database. No error of it
// repeats what was given, for that holds a password.
func parseAddress(address string) (*driver.Config, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("it is no URL: want mysql://user:password@host:port/database, with %XX for special characters")
	}
	database := strings.TrimPrefix(u.Path, "/")
	switch {
	case u.Scheme != "mysql":
		return nil, errors.New("it does not begin with mysql://")
	case u.Hostname() == "":
		return nil, errors.New("it names no host: want mysql://user:password@host:port/database")
	case u.User.Username() == "":
		return nil, errors.New("it names no user: want mysql://user:password@host:port/database")
	case database == "" || strings.Contains(database, "/"):
		return nil, errors.New("it names no database: want mysql://user:password@host:port/database")
	}
	config := driver.NewConfig()
	config.User = u.User.Username()
	config.Passwd, _ = u.User.Password()
	config.Net, config.Addr = "tcp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "3306"))
	config.DBName = database
	for name, values := range u.Query() {
		if name != "tls" || len(values) != 1 {
			return nil, fmt.Errorf("it has a parameter %q: there is tls alone, once", name)
		}
		switch values[0] {
		case "true", "false", "preferred", "skip-verify":
			config.TLSConfig = values[0]
		default:
			return nil, errors.New("its parameter tls is none of true, false, preferred, skip-verify")
		}
	}
	config.ParseTime, config.Loc = true, time.UTC
	// A statement with its values is one round trip, where preparing it would be
	// three. The driver writes values so that no text can end its quotes, in the
	// character set and the SQL mode that every connection here has.
	config.InterpolateParams = true
	config.Timeout, config.ReadTimeout, config.WriteTimeout = dialTimeout, readTimeout, writeTimeout
	config.Logger = &driver.NopLogger{} // what it would log comes back as an error too
	return config, nil
}
