package web

import (
	"github.com/gin-gonic/gin"

	"tegata/web/show"
)

// Routes lists the pages and the agent API as they are mounted.
func Routes() (gin.RoutesInfo, error) {
	engine, err := site(Config{}, &show.Show{})
	if err != nil {
		return nil, err
	}
	return engine.Routes(), nil
}
