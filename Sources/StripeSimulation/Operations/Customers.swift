extension StripeAccount {
    func createCustomer(_ form: Form) throws(StripeError) -> Answer {
        var customer = Customer(id: newID("cus_"), created: time, livemode: livemode)
        try customer.take(form)
        customers[customer.id] = customer
        effects.count(.customerCreated, customer: customer.id)
        emit("customer.created", .customer(customer))
        return .object(.customer(customer))
    }

    func updateCustomer(_ id: String, _ form: Form) throws(StripeError) -> Answer {
        var customer = try customer(id, parameter: "id")
        try customer.take(form)
        customers[id] = customer
        emit("customer.updated", .customer(customer))
        return .object(.customer(customer))
    }

    /// A deleted customer can still be retrieved, and is used for nothing more: their drafts stay,
    /// and can only be deleted.
    func deleteCustomer(_ id: String) throws(StripeError) -> Answer {
        var customer = try customer(id, parameter: "id")
        emit("customer.deleted", .customer(customer))
        customer.isDeleted = true
        customers[id] = customer
        return .object(.customer(customer))
    }

    func retrieveCustomer(_ id: String) throws(StripeError) -> Answer {
        guard let customer = customers[id] else {
            throw .missing("customer", id, parameter: "id")
        }
        return .object(.customer(customer))
    }

    func listCustomers(_ form: Form) throws(StripeError) -> Answer {
        let email = form.text("email")
        let page = try customers.page(form, kind: "customer") { customer in
            !customer.isDeleted && (email == nil || customer.email == email)
        }
        return .list(
            url: "/v1/customers", page.items.map(Snapshot.customer), hasMore: page.hasMore)
    }
}

extension Customer {
    fileprivate mutating func take(_ form: Form) throws(StripeError) {
        try metadata.merge(form["metadata"])
        email = form.text("email") ?? email
        name = form.text("name") ?? name
        businessName = form.text("business_name") ?? businessName
        individualName = form.text("individual_name") ?? individualName
        description = form.text("description") ?? description
        phone = form.text("phone") ?? phone
        balance = form.integer("balance") ?? balance
        guard let form = form["address"] else { return }
        var address = self.address ?? Address()
        for child in form.children { address.values[child.name] = child.form.text }
        self.address = form.text == "" ? nil : address
    }
}
