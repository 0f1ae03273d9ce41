package vectors

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// identityService is a fake identity service for one vector. It records unexpected
// requests.
type identityService struct {
	answers *IdentityService
	key     Key

	mu             sync.Mutex
	logins, checks int
	ownToken       string
	wrong          []error
}

func (s *identityService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, err := s.answer(r)
	if err != nil {
		s.mu.Lock()
		s.wrong = append(s.wrong, err)
		s.mu.Unlock()
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	for name, value := range answer.Header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(answer.Status)
	io.WriteString(w, answer.Body)
}

func (s *identityService) answer(r *http.Request) (*Answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var answers IdentityService
	if s.answers != nil {
		answers = *s.answers
	}
	switch {
	case r.URL.Path != "/v3/auth/tokens":
		return nil, fmt.Errorf("the identity service got a request for %s", r.URL.Path)
	case r.Method == http.MethodPost && answers.Login != nil:
		s.logins++
		s.ownToken = answers.Login.Header["X-Subject-Token"]
		return answers.Login, s.checkLogin(r)
	case r.Method == http.MethodGet && answers.Check != nil:
		s.checks++
		if got := r.Header.Get("X-Auth-Token"); got != s.ownToken {
			return nil, errors.New("the identity service got a token that it did not issue")
		}
		if got := r.Header.Get("X-Subject-Token"); got != answers.Token {
			return nil, fmt.Errorf("the identity service got a check of the token %q", got)
		}
		return answers.Check, nil
	}
	return nil, fmt.Errorf("the identity service got a request with method %s, and the vector has no response for it", r.Method)
}

// checkLogin checks that the login is for the key's account.
func (s *identityService) checkLogin(r *http.Request) error {
	type named struct {
		Name string `json:"name"`
	}
	var login struct {
		Auth struct {
			Identity struct {
				Methods  []string
				Password struct {
					User struct {
						Name, Password string
						Domain         named
					}
				}
			}
			Scope struct {
				Project struct {
					Name   string
					Domain named
				}
			}
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&login); err != nil {
		return fmt.Errorf("the login is not JSON: %w", err)
	}
	user, project := login.Auth.Identity.Password.User, login.Auth.Scope.Project
	if strings.Join(login.Auth.Identity.Methods, ",") != "password" || user.Name != s.key.User || user.Password != s.key.Password ||
		user.Domain.Name != s.key.Domain || project.Name != s.key.Project || project.Domain.Name != s.key.Domain {
		return errors.New("the login is not for the key's account")
	}
	return nil
}

// verdict returns an error if requests were unexpected or missing.
func (s *identityService) verdict() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answers != nil && (s.answers.Login != nil && s.logins == 0 || s.answers.Check != nil && s.checks == 0) {
		s.wrong = append(s.wrong, fmt.Errorf("the identity service got %d logins and %d checks", s.logins, s.checks))
	}
	return errors.Join(s.wrong...)
}
