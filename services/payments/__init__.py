"""Payments from a mobile wallet for the fees of services and the bills of billers: requested once, charged once, never lost.

`payments` has the payments, `reconciliation` applies what wallets report, `refunds` returns money, `worker` does the work in
the background. `fees` and `bills` are what people pay. `wallets` and `billers` have an interface and one module an adapter.
"""
