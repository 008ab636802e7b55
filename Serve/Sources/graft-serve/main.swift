import GraftServing

await GraftServe.start()
