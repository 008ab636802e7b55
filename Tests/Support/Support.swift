import GraftGraph
