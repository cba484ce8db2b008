package web

import (
	"github.com/gin-gonic/gin"

	"tegata/idp"
	"tegata/web/show"
)

// Routes lists the pages and the agent API as they are mounted.
func Routes() (gin.RoutesInfo, error) {
	engine, err := site(Config{IDP: &idp.Provider{}}, &show.Show{})
	if err != nil {
		return nil, err
	}
	return engine.Routes(), nil
}
